/** Programs that are killed in the middle of an operation on their own server half, at every instant of it. */
import { ms, sleep, type Task } from '@backplane/engine';
import { type FileId, KernelError, type Storage, type StoredAttributes } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Domain, nameOperation, twoNameOperation } from '../src/index.ts';

const root: FileId = { domain: 0, number: 1, generation: 1 };
const asker = { who: { uid: 0, gid: 0, groups: [] }, machineType: 'sun3' };

/** A directory with the files /f and /g, and nothing else. Each operation takes 2 ms and comes to effect in its middle. */
class Files {
  readonly names: Map<string, FileId> = new Map([
    ['f', { domain: 0, number: 2, generation: 1 }],
    ['g', { domain: 0, number: 3, generation: 1 }],
  ]);
  readonly links: Map<number, number> = new Map([
    [1, 2],
    [2, 1],
    [3, 1],
  ]);

  get storage(): Storage {
    return this as unknown as Storage; // what the operations below use of it
  }

  readonly root: FileId = root;

  *attributes(f: FileId): Task<StoredAttributes> {
    const links = this.links.get(f.number);
    if (links === undefined) throw new KernelError('stale');
    const times = { modifyNs: 0, changeNs: 0, accessNs: 0, createNs: 0 };
    const type = f.number === 1 ? 'directory' : 'file';
    return { type, sizeBytes: 0, links, mode: 0o777, uid: 0, gid: 0, version: 1, ...times };
  }

  *lookup(_: FileId, name: string): Task<FileId | undefined> {
    return this.names.get(name);
  }

  *unlink(_: FileId, name: string): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    yield* sleep(ms(1));
    const file = this.names.get(name);
    if (file === undefined) throw new KernelError('notFound');
    this.names.delete(name);
    this.links.set(file.number, 0);
    yield* sleep(ms(1));
    return { file, linksLeft: 0 };
  }

  *rename(_: FileId, from: string, to: FileId, name: string): ReturnType<Storage['rename']> {
    const file = this.names.get(from) ?? root;
    const { file: replaced } = yield* this.unlink(to, name);
    this.names.delete(from);
    this.names.set(name, file);
    return { file, replaced: { file: replaced, linksLeft: 0 } };
  }

  *reclaim(f: FileId): Task<void> {
    yield* sleep(ms(1));
    if (!this.links.has(f.number)) throw new KernelError('stale');
    this.links.delete(f.number);
    yield* sleep(ms(1));
  }

  /** Files that no name leads to and nobody has freed. */
  get orphans(): readonly number[] {
    return [...this.links].filter(([, links]) => links === 0).map(([number]) => number);
  }
}

interface Outcome {
  readonly orphans: readonly number[];
  /** Has the file lost its name? */
  readonly unnamed: boolean;
  readonly freed: readonly number[];
}

/** Carries out an operation on a thread that is killed after so long. */
function killed(afterNs: number, operation: (d: Domain) => Task<unknown>): Outcome {
  const machine = testMachine();
  const { engine, scope } = machine;
  const files = new Files();
  const f = files.names.get('f') ?? root;
  const freed: number[] = [];
  const domain = new Domain(files.storage, machine, {
    *fresh(_, attributes) {
      return attributes;
    },
    freed: ({ number }) => void freed.push(number),
  });
  const program = scope.spawn('program', operation(domain));
  scope.spawn(
    'killer',
    (function* (): Task<void> {
      yield* sleep(afterNs);
      program.cancel();
    })(),
  );
  engine.run();
  return { orphans: files.orphans, unnamed: files.names.get('f') !== f, freed };
}

function* unlink(d: Domain): Task<void> {
  yield* nameOperation(d, 'unlink', {}, root, 'f', asker);
}
function* rename(d: Domain): Task<void> {
  yield* twoNameOperation(d, 'rename', { start: root, path: 'g' }, { start: root, path: 'f' }, asker);
}
function* close(d: Domain): Task<void> {
  const f = (yield* d.storage.lookup(root, 'f')) ?? root;
  d.opens.open(f);
  yield* unlink(d);
  yield* d.closed(f);
}

describe('a file that loses its last name or its last open to a program that is killed', () => {
  it.each([
    ['while it unlinks', unlink],
    ['while it renames another one over it', rename],
  ])('%s is freed, once, or keeps its name', (_, operation) => {
    for (let us = 500; us < 6000; us += 500) {
      const { orphans, unnamed, freed } = killed(us * 1000, operation);
      expect({ orphans, freed }, `${us} us`).toEqual({ orphans: [], freed: unnamed ? [2] : [] });
    }
  });

  it('while it closes it is freed, once', () => {
    // Before 2 ms the program has not come to its close: its descriptors would be closed for it.
    for (let us = 2500; us < 6000; us += 500)
      expect(killed(us * 1000, close), `${us} us`).toEqual({ orphans: [], unnamed: true, freed: [2] });
  });
});
