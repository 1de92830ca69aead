/** V machines on one Ethernet, and processes of theirs that a test drives. */
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import type { EntityId, Ipc, IpcProcess, Kernel, MachineType } from '@backplane/slots';
import { vFileServer, vWorkstation } from '@backplane/v';

export interface WorldOptions {
  readonly workstations?: readonly string[];
  readonly type?: MachineType;
  /** One for each workstation, where they differ. */
  readonly types?: readonly MachineType[];
  readonly seed?: number;
  readonly kernel?: Kernel;
  /** One for each workstation, where they differ. */
  readonly kernels?: readonly Kernel[];
  /** Of the file server; `null`: there is none, and no files. */
  readonly server?: Kernel | null;
}

export class World {
  readonly cluster: Cluster;

  constructor({
    workstations = ['mace', 'thyme'],
    type = zeroCost,
    types = [],
    seed = 1,
    kernel,
    kernels = [],
    server = vFileServer(),
  }: WorldOptions = {}) {
    const client =
      kernel ??
      (server === null ? vWorkstation().without('fileCache').without('systemCalls') : vWorkstation());
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          ...(server === null ? [] : [{ name: 'allspice', type, role: 'server', kernel: server }]),
          ...workstations.map((name, i) => ({
            name,
            type: types[i] ?? type,
            role: 'client',
            kernel: kernels[i] ?? client,
          })),
        ],
      },
      { seed },
    );
  }

  /** Boots them all, and runs this to its end. */
  run<T>(body: () => Task<T>): T {
    const { cluster } = this;
    return cluster.drive(
      'test',
      (function* (): Task<T> {
        yield* cluster.bootAll();
        return yield* body();
      })(),
    );
  }

  machine(name: string): ClusterMachine {
    return this.cluster.machine(name);
  }

  ipc(name: string): Ipc {
    return this.machine(name).board('ipc');
  }

  /** A process of this machine that lives in a thread of the machine's, and does this. */
  *on<T>(name: string, body: (self: IpcProcess) => Task<T>): Task<T> {
    const { scope } = this.machine(name);
    const self = this.ipc(name).create({ name: 'test', scope, space: null });
    const thread = scope.spawn('test', body(self));
    const result = yield* thread.join();
    self.destroy();
    return result as T; // boundary: the machine does not crash while a test waits for it
  }

  group(name: string, number: number): EntityId {
    return this.ipc(name).wellKnownGroup(number);
  }
}
