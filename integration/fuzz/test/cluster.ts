/** Sprite kernels on a segment with one station too many, which sends whatever it likes. */
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { type Task, WaitQueue } from '@backplane/engine';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { ip } from '@backplane/net-ip';
import { sunRpc } from '@backplane/rpc-sun';
import type { Attachment, Calls, Frame, Kernel, KernelSpec, RunningProgram } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';

/** How calls travel: in frames of their own type, or in internet datagrams. */
export type Carriage = 'Sprite RPC' | 'Sun RPC';

export const intruderStation = 0x02ee_0000_0001;

export class World {
  readonly cluster: Cluster;
  readonly carriage: Carriage;
  readonly server: ClusterMachine;
  readonly clients: readonly ClusterMachine[];
  readonly #intruder: Attachment;

  /** @param changes boards of the server other than the preset's */
  constructor(carriage: Carriage, seed: number, changes: KernelSpec = {}) {
    const kernel = (k: Kernel): Kernel =>
      carriage === 'Sun RPC' ? k.with({ transport: sunRpc(), internet: ip() }) : k;
    this.carriage = carriage;
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          { name: 'server', type: zeroCost, role: 'server', kernel: kernel(spriteServer()).with(changes) },
          ...[0, 1].map((i) => ({
            name: `client${i}`,
            type: zeroCost,
            role: 'client',
            kernel: kernel(spriteClient()),
          })),
        ],
      },
      { seed },
    );
    this.server = this.cluster.machine('server');
    this.clients = this.cluster.withRole('client');
    this.#intruder = this.cluster.medium.attach({
      name: 'intruder',
      address: intruderStation,
      accepts: () => false,
      deliver: () => {},
    });
  }

  /** Returns when the frame is out, or was given up after too many collisions; true if it is out. */
  *inject(frame: Frame): Task<boolean> {
    const over: WaitQueue<boolean> = new WaitQueue();
    let carried: boolean | undefined;
    this.#intruder.send(frame, (delivered) => {
      carried = delivered;
      over.wakeAll(delivered);
    });
    return carried ?? (yield* over.wait()) === true;
  }

  /** The machines to which a frame of the intruder's goes. */
  receivers(frame: Frame): readonly ClusterMachine[] {
    const { destination } = frame;
    return this.cluster.machines.filter(
      (m) => destination === 0xffff_ffff_ffff || m.board('nic').address === destination,
    );
  }

  metric(name: string): number {
    return this.cluster.metrics()[name] ?? Number.NaN;
  }

  /** Boots everything and runs a driver to its end. */
  drive<T>(body: () => Task<T>): T {
    const { cluster } = this;
    return cluster.drive(
      'test',
      (function* (): Task<T> {
        yield* cluster.bootAll();
        return yield* body();
      })(),
    );
  }

  start(m: ClusterMachine, program: (sys: Calls) => Task<void>): RunningProgram {
    return m.board('systemCalls').start('program', function* (sys) {
      yield* program(sys);
      return 0;
    });
  }
}
