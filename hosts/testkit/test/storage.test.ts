import { sleep, type Task, us } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { isKernelError, KernelError, type Storage } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToStorage } from '../src/index.ts';
import { type Change, defective, failedBy } from './defective.ts';

const inMemory = (change: Change<Storage>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToStorage({
      boards: { storage: defective(memoryStorage({ sizeBytes: 4_000_000 }), change) },
      survives: false,
      courses: 5,
    }),
    names,
  );

const onDisk = (change: Change<Storage>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToStorage({
      boards: {
        disk: drive({ profile: 'eagle', sectors: 8000 }),
        storage: defective(ofsStorage(), change),
      },
      courses: 5,
    }),
    names,
  );

const defects: readonly (readonly [string, typeof inMemory, Change<Storage>, RegExp])[] = [
  [
    'lists entries in any order',
    inMemory,
    (s) => ({
      *entries(d) {
        return (yield* s.entries(d)).toReversed();
      },
    }),
    /entries are sorted/,
  ],
  [
    'finds no file for a stale identifier',
    inMemory,
    (s) => ({
      *attributes(f) {
        try {
          return yield* s.attributes(f);
        } catch (e) {
          throw isKernelError(e, 'stale') ? new KernelError('notFound') : e;
        }
      },
    }),
    /stale for every operation/,
  ],
  [
    'frees a file with its last name',
    inMemory,
    (s) => ({
      *unlink(d, name, what) {
        const gone = yield* s.unlink(d, name, what);
        if (gone.linksLeft === 0) yield* s.reclaim(gone.file);
        return gone;
      },
    }),
    /unlink frees nothing/,
  ],
  ['reclaims nothing', inMemory, () => ({ *reclaim(): Task<void> {} }), /usage tells/],
  [
    'removes the new name before it renames',
    onDisk,
    (s) => ({
      *rename(from, oldName, to, newName) {
        const there = yield* s.lookup(to, newName);
        if (there !== undefined) yield* s.unlink(to, newName, { directory: false });
        yield* sleep(us(400));
        const moved = yield* s.rename(from, oldName, to, newName);
        return there === undefined ? moved : { ...moved, replaced: { file: there, linksLeft: 0 } };
      },
    }),
    /never missing/,
  ],
  [
    'hands out its own buffers',
    inMemory,
    (s) => {
      const handedOut: Uint8Array[] = [];
      return {
        *read(f, at, count) {
          const bytes = (yield* s.read(f, at, count)).slice();
          handedOut.push(bytes);
          return bytes;
        },
        *write(f, at, bytes, when) {
          for (const b of handedOut) b.fill(0);
          yield* s.write(f, at, bytes, when);
        },
      };
    },
    /bytes that were read do not change/,
  ],
  [
    'loses the mode',
    inMemory,
    (s) => ({
      *setAttributes(f, { mode: _, ...change }) {
        yield* s.setAttributes(f, change);
      },
    }),
    /random operations/,
  ],
  [
    'answers a write through from its cache',
    onDisk,
    (s) => ({ write: (f, at, bytes) => s.write(f, at, bytes, 'delayed') }),
    /^a write through is on the medium/,
  ],
  ['syncs nothing', onDisk, () => ({ *sync(): Task<void> {} }), /^what was written and synced survives/],
];

describe('the kit of the slot storage', () => {
  it('finds nothing wrong with a storage that is passed on unchanged', () => {
    expect(inMemory(() => ({}), /./)).toEqual([]);
  });

  for (const [what, kit, change, names] of defects)
    it(`refuses one that ${what}`, () => {
      expect(kit(change, names)).toHaveLength(1);
    });
});
