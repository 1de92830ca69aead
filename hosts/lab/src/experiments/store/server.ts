/** One file server with a disk of its own, on which programs run: no network is in what is measured. */
import { type ClusterMachine, type FittedMachine, offered } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import type { Calls, Disk } from '@backplane/slots';
import { keepsOnDisk } from '../../disk-image.ts';
import type { Laboratory, Shape } from '../../experiment.ts';

/** The drive of the measurements of Sprite LFS (Rosenblum and Ousterhout 1992, section 5.1). */
const drive = 'disk=drive:profile=wren-iv';

/** Programs of the server itself end with it: nobody outlives a crash who was told of a name, so names may be delayed. */
const names = 'storage=ofs:metadata=delayed';

/** The machine of those measurements. */
export const serverWithDisk: Shape = {
  clients: 0,
  clientsMin: 0,
  servers: 1,
  serversMax: 1,
  machineTypes: { client: 'sun4-260', server: 'sun4-260' },
  prefixes: [['/']],
  settings: [drive, names],
};

export function theServer({ servers }: Pick<Laboratory<unknown>, 'servers'>): ClusterMachine {
  const [server] = servers;
  if (server === undefined) throw new Error('wants a server');
  return server;
}

/** Runs a program on the server to its end; its result is what `body` returned. */
export function* program<T>(
  lab: Pick<Laboratory<unknown>, 'servers' | 'start'>,
  name: string,
  body: (sys: Calls) => Task<T>,
): Task<T> {
  const results: T[] = [];
  const running = lab.start(theServer(lab), name, function* (sys) {
    results.push(yield* body(sys));
    return 0;
  });
  yield* running.join();
  const [result] = results;
  if (result === undefined) throw new Error(`${name}: the program failed`);
  return result;
}

/** What the server is made of. */
export function fittedServer(lab: Pick<Laboratory<unknown>, 'servers' | 'cluster'>): FittedMachine {
  const { name } = theServer(lab);
  const fitted = lab.cluster.composition.machines.find((m) => m.description.name === name);
  if (fitted === undefined) throw new Error(`${name} is no machine of the cluster`);
  return fitted;
}

/** The server's first disk that is no part of another one. */
export function theDisk(lab: Pick<Laboratory<unknown>, 'servers' | 'cluster'>): Disk {
  return theServer(lab).board('disk', offered(fittedServer(lab), 'disk')[0]?.instance);
}

/** Everything is on the disk and nothing in a cache. A storage without a disk would lose its files: that one keeps its caches. */
export function* coldCaches(lab: Pick<Laboratory<unknown>, 'servers' | 'cluster'>): Task<void> {
  const server = theServer(lab);
  if (!keepsOnDisk(fittedServer(lab))) return;
  yield* server.halt();
  server.boot();
  yield* server.running();
}

/** The server stands on an empty disk, on which its storage has made a file system; one without a disk stays as it is. */
export function* emptyDisk(lab: Pick<Laboratory<unknown>, 'servers' | 'cluster'>): Task<void> {
  const server = theServer(lab);
  if (!keepsOnDisk(fittedServer(lab))) return;
  const disk = theDisk(lab);
  yield* server.halt();
  for (const { sector, data } of disk.extents()) disk.load(sector, new Uint8Array(data.length));
  server.boot();
  yield* server.running();
}
