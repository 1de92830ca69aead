/**
 * Disks that hold something before virtual time starts. The server's own storage puts it there, on a machine of no cost in a
 * cluster of its own that is halted in good order; what is then on its disks is loaded into the drives of the run. So the
 * caches of the run are cold, and what it cost to fill the disks is nowhere in it.
 */
import { Cluster, type FittedMachine, type MachineDescription, offered } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import type { DiskExtent, Storage } from '@backplane/slots';

/** What a disk holds, by the name of its instance. */
export type DiskImages = ReadonlyMap<string, readonly DiskExtent[]>;

/** The instance that serves the root: `storage:/`, or the only one. */
export function rootStorage({ boards }: FittedMachine): string {
  const instances = boards.filter((f) => f.board.slot === 'storage').map((f) => f.instance);
  return instances.find((i) => i === 'storage:/') ?? instances[0] ?? 'storage';
}

/** Does the root's storage keep what it has on disks? If not, it is lost with the power. */
export function keepsOnDisk(server: FittedMachine): boolean {
  const root = rootStorage(server);
  const fitted = server.boards.find((f) => f.instance === root);
  return fitted !== undefined && (fitted.one.has('disk') || fitted.many.has('disk'));
}

/** @param fill puts into the root's storage what the disks are to hold */
export function imagesOf(
  server: FittedMachine,
  seed: number,
  fill: (storage: Storage) => Task<void>,
): DiskImages {
  const { memoryBytes, pageBytes } = server.description.type;
  const description: MachineDescription = {
    ...server.description,
    host: server.host,
    type: { ...zeroCost, memoryBytes, pageBytes },
  };
  const cluster = new Cluster({ medium: ethernet(), machines: [description] }, { seed });
  const machine = cluster.machine(description.name);
  cluster.drive(
    'image',
    (function* (): Task<void> {
      yield* cluster.bootAll();
      const storage = machine.board('storage', rootStorage(server));
      yield* fill(storage);
      yield* machine.halt();
    })(),
  );
  // One that is made of others has what they have.
  const disks = offered(server, 'disk').map((f) => f.instance);
  return new Map(disks.map((disk) => [disk, machine.board('disk', disk).extents()]));
}
