import type { Task } from '@backplane/engine';
import { pipes } from '@backplane/objects-pipe';
import type { ObjectKind, OpenObject, Streams } from '@backplane/slots';
import { streams } from '@backplane/streams';
import { describe, expect, it } from 'vitest';
import { conformsToObjects, conformsToStreams } from '../src/index.ts';
import { type Change, defective, failedBy, passOn } from './defective.ts';

const table = (change: Change<Streams>, names: RegExp): readonly string[] =>
  failedBy(conformsToStreams({ boards: { streams: defective(streams(), change) } }), names);

const tableDefects: readonly (readonly [string, Change<Streams>, RegExp])[] = [
  [
    'closes with the first reference',
    (s) => ({ share: (x) => x, close: (x) => s.close(x) }),
    /^the object is closed/,
  ],
  [
    'moves the offset at readAt',
    (s) => ({
      *readAt(x, at, count) {
        const bytes = yield* s.readAt(x, at, count);
        x.offset = at + bytes.length;
        return bytes;
      },
    }),
    /^readAt and writeAt/,
  ],
  ['wakes nobody', () => ({ wake: () => {} }), /^a read waits/],
  [
    'wakes nobody elsewhere',
    (s, { host }) => ({
      wake(w) {
        if (w.host === host) s.wake(w);
      },
    }),
    /^a wake-up reaches/,
  ],
  ['always waits', (s) => ({ read: (x, count) => s.read(x, count) }), /^a read or write that is not to wait/],
  [
    'lets anybody register',
    (s) => ({ protocol: (p) => (p.protocol === '' ? s.protocol(p) : () => {}) }),
    /^one board for each protocol/,
  ],
  ['syncs nothing', () => ({ *syncAll(): Task<void> {} }), /^syncAll/],
  [
    'seeks before the start',
    (s) => ({ seek: (x, to, from) => s.seek(x, Math.max(0, to), from) }),
    /^seek sets/,
  ],
  ['selects without patience', (s) => ({ select: (wanted) => s.select(wanted, 0) }), /^select waits/],
  [
    'does not wait for locks',
    (s) => ({ lock: (x, mode) => s.lock(x, mode, { wait: false }) }),
    /^lock takes/,
  ],
];

describe('the kit of the slot streams', () => {
  it('finds nothing wrong with streams that are passed on unchanged', () => {
    expect(table(() => ({}), /./)).toEqual([]);
  });

  for (const [what, change, names] of tableDefects)
    it(`refuses one that ${what}`, () => {
      expect(table(change, names)).toHaveLength(1);
    });
});

const pipe = (change: Change<ObjectKind>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToObjects({ boards: { objects: defective(pipes(), change) }, kind: 'pipe', courses: 4 }),
    names,
  );

const ends =
  (change: (inside: OpenObject) => Partial<OpenObject>): Change<ObjectKind> =>
  (kind) => ({
    pair() {
      const pair = kind.pair?.();
      if (pair === undefined) throw new Error('no pairs');
      return { read: passOn(pair.read, change(pair.read)), write: passOn(pair.write, change(pair.write)) };
    },
  });

const pipeDefects: readonly (readonly [string, Change<ObjectKind>, RegExp])[] = [
  ['never ends', ends(() => ({ *close(): Task<void> {} })), /^when the last writer has closed/],
  [
    'loses what there is no room for',
    ends((end) => ({
      *write(p, bytes, waiter) {
        const { next } = yield* end.write(p, bytes, waiter);
        return { count: bytes.length, next };
      },
    })),
    /^a write of more than there is room for/,
  ],
  [
    'is always ready',
    ends(() => ({
      *poll() {
        return { read: true, write: true, exception: false };
      },
    })),
    /^poll tells/,
  ],
  [
    'brings one byte too few',
    ends((end) => ({
      *read(p, count, waiter) {
        const { bytes, next } = yield* end.read(p, count, waiter);
        return { bytes: bytes.length > 1 ? bytes.subarray(1) : bytes, next };
      },
    })),
    /^whatever the sizes/,
  ],
  ['is one for all', ends(() => ({ attributes: oneForAll })), /^both ends say/],
];

function* oneForAll(): ReturnType<OpenObject['attributes']> {
  const times = { modifyNs: 0, changeNs: 0, accessNs: 0 };
  return {
    type: 'namedPipe',
    sizeBytes: 0,
    links: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    version: 0,
    identity: 'x',
    ...times,
  };
}

describe('the kit of the slot objects', () => {
  it('finds nothing wrong with pipes that are passed on unchanged', () => {
    expect(pipe(() => ({}), /./)).toEqual([]);
  });

  for (const [what, change, names] of pipeDefects)
    it(`refuses one that ${what}`, () => {
      expect(pipe(change, names)).toHaveLength(1);
    });
});
