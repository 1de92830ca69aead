/** A machine with the storage under test, and one whose storage is in memory: the model. */
import type { Task } from '@backplane/engine';
import { defineKernel, type FileId, type NewFile, type Storage } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { same } from '../check.ts';
import { storage as inMemory, withBlocks } from '../neighbours.ts';
import { Rig } from '../rig.ts';
import type { Bounds } from './under-test.ts';

export class World {
  readonly rig: Rig;

  constructor(boards: Bounds['boards'], seed = 1) {
    this.rig = new Rig(
      {
        server: withBlocks().with(boards),
        model: defineKernel('model', { storage: inMemory() }),
      },
      { seed },
    );
  }

  /** Of this boot. */
  get storage(): Storage {
    return this.rig.board('server', 'storage');
  }

  get model(): Storage {
    return this.rig.board('model', 'storage');
  }

  /** A thread of the machine, to its end. */
  run<T>(body: (s: Storage) => Task<T>): T {
    return this.rig.on('server', () => body(this.storage));
  }

  crash(): void {
    this.rig.reboot('server');
  }
}

/** A world in which a check is one thread. */
export function tried(boards: Bounds['boards'], body: (s: Storage) => Task<void>): void {
  new World(boards).run(body);
}

export const plainFile: NewFile = { type: 'file', mode: 0o644, uid: 7, gid: 8 };
export const plainDirectory: NewFile = { type: 'directory', mode: 0o755, uid: 7, gid: 8 };

export const sameFile = (a: FileId | undefined, b: FileId): boolean =>
  a !== undefined && a.domain === b.domain && a.number === b.number && a.generation === b.generation;

/** @throws BackplaneError unless the operation ends with this kind of error */
export function* fails(what: string, operation: Task<unknown>, kind: string): Task<void> {
  same(what, yield* kindOf(operation), kind);
}

/** Everything of a file, whatever its length. */
export function* contentOf(s: Storage, f: FileId): Task<Uint8Array> {
  return yield* s.read(f, 0, (yield* s.attributes(f)).sizeBytes);
}

/** Takes a name away, and frees what has no other. */
export function* remove(s: Storage, directory: FileId, name: string, isDirectory = false): Task<void> {
  const { file, linksLeft } = yield* s.unlink(directory, name, { directory: isDirectory });
  if (linksLeft === 0) yield* s.reclaim(file);
}
