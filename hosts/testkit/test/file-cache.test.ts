import { noCache } from '@backplane/cache-none';
import type { Task } from '@backplane/engine';
import type { FileProtocol, OpenObject } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToFileCache } from '../src/index.ts';
import { type Change, defective, failedBy, passOn } from './defective.ts';

const refused = (change: Change<FileProtocol>, names: RegExp, courses = 4): readonly string[] =>
  failedBy(
    conformsToFileCache({
      boards: { fileCache: defective(noCache(), change) },
      consistency: 'sequential',
      courses,
    }),
    names,
  );

/** Each open object with a defect. */
const opened =
  (change: (inside: OpenObject, path: string) => Partial<OpenObject>): Change<FileProtocol> =>
  (protocol) => ({
    *open(t, how, who) {
      const found = yield* protocol.open(t, how, who);
      if (found.is !== 'done' || 'elsewhere' in found.value) return found;
      return { is: 'done', value: passOn(found.value, change(found.value, t.remainder)) };
    },
  });

/** Keeps what it has read until the file is closed, whoever writes it. */
const keepsCopies = opened((file) => {
  let copy: Uint8Array | null = null;
  return {
    *read(p, count, waiter) {
      copy ??= (yield* file.read(0, 1 << 20, waiter)).bytes;
      const at = typeof p === 'number' ? p : 0;
      const bytes = copy.subarray(at, at + count);
      return { bytes, next: at + bytes.length };
    },
    *write(p, bytes, waiter) {
      copy = null;
      return yield* file.write(p, bytes, waiter);
    },
  };
});

/** Writes at the close what was written before. */
const writesAtClose = opened((file) => {
  const late: (() => Task<unknown>)[] = [];
  return {
    *write(p, bytes, waiter) {
      late.push(() => file.write(p, bytes, waiter));
      return { count: bytes.length, next: (typeof p === 'number' ? p : 0) + bytes.length };
    },
    *close() {
      for (const write of late) yield* write();
      yield* file.close();
    },
  };
});

const defects: readonly (readonly [string, Change<FileProtocol>, RegExp])[] = [
  ['keeps copies of files that others write', keepsCopies, /^sequential: a read sees the last write/],
  ['keeps copies, when random operations are tried', keepsCopies, /^sequential: random operations/],
  ['writes only at the close', writesAtClose, /^sequential: two hosts that write one file/],
  ['never closes', opened(() => ({ *close(): Task<void> {} })), /^the last close of a removed file frees it/],
  [
    'forgets a file that was removed',
    opened((file, path) => ({
      *read(p, count, waiter) {
        return path === '' ? yield* file.read(p, count, waiter) : { bytes: new Uint8Array(0), next: 0 };
      },
    })),
    /^a file that another host removed/,
  ],
  [
    'appends at the offset',
    opened((file) => ({ write: (p, bytes, waiter) => file.write(p === 'end' ? 0 : p, bytes, waiter) })),
    /^sequential: appends of several hosts/,
  ],
  ['locks nothing', opened(() => ({ *lock(): Task<void> {} })), /shared locks go together/],
  [
    'follows no links',
    (protocol) => ({
      *name(t, op, argument, who) {
        const changed = op === 'stat' ? { ...argument, follow: false } : argument;
        return yield* protocol.name(t, op, changed, who);
      },
    }),
    /symbolic link is followed/,
  ],
  [
    'waits for a dead server at a close',
    opened((file) => ({
      *close() {
        yield* file.attributes();
        yield* file.close();
      },
    })),
    /close does not wait/,
  ],
];

describe('the kit of the slot fileCache', () => {
  it('finds nothing wrong with a file cache that is passed on unchanged', () => {
    expect(refused(() => ({}), /^(?!entries are sorted)/, 1)).toEqual([]);
  });

  it('asks less of one that promises less', () => {
    const boards = { fileCache: defective(noCache(), keepsCopies) };
    const names = conformsToFileCache({ boards, consistency: 'close-to-open', keepsRemoved: 'host' }).map(
      ({ name }) => name,
    );
    expect(names.filter((name) => /^sequential|another host removed/.test(name))).toEqual([]);
    expect(names.some((name) => name.startsWith('close-to-open'))).toBe(true);
  });

  for (const [what, change, names] of defects)
    it(`refuses one that ${what}`, () => {
      expect(refused(change, names)).toHaveLength(1);
    });
});
