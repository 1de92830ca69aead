/** Segments that a sender grants, and moves between its memory and the receiver's. */
import { seconds, sleep, type Task } from '@backplane/engine';
import {
  type IpcProcess,
  MessageFlag,
  message,
  type Received,
  ReplyCode,
  type SegmentGrant,
} from '@backplane/slots';
import { type ArrayMemory, pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import { pagesOf } from './pages.ts';
import type { Bounds } from './under-test.ts';
import { codeIn, done, type HostName, type World, wherever, words, work } from './world.ts';

const both = (address: number, bytes: number): SegmentGrant => ({ read: true, write: true, address, bytes });

/** Lets a server do something with one request that grants a segment; the memories of both, afterwards. */
function granted(
  w: World,
  here: HostName,
  there: HostName,
  grant: SegmentGrant | undefined,
  serve: (p: IpcProcess, r: Received) => Task<void>,
  sizes: { readonly pages?: number; readonly lockedFrom?: number } = {},
): { readonly client: ArrayMemory; readonly server: ArrayMemory } {
  const { pages = 16, lockedFrom } = sizes;
  const memories = { client: pagesOf(pages, lockedFrom), server: pagesOf(pages) };
  memories.client.bytes.set(pattern(memories.client.bytes.length, 1));
  memories.server.bytes.set(pattern(memories.server.bytes.length, 2));
  const server = w.process(
    there,
    'server',
    function* (p) {
      const r = yield* p.receive();
      yield* serve(p, r);
      yield* p.reply(r, done);
    },
    memories.server,
  );
  const client = w.process(here, 'client', undefined, memories.client);
  const options = grant === undefined ? {} : { grant };
  const response = w.run(() => client.process.send(server.id, words(work), options));
  same('outcome', codeIn(response), ReplyCode.ok);
  w.run(() => server.thread.join());
  return memories;
}

const no = ReplyCode.noPermission;

export const segmentClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a grant arrives with its rights and its range, in the request; without one there is none',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const seen: (SegmentGrant | null)[] = [];
        const server = w.process(there, 'server', function* (p) {
          for (;;) {
            const r = yield* p.receive();
            seen.push(r.grant);
            yield* p.reply(r, done);
          }
        });
        const [rich, poor] = [w.process(here, 'rich', undefined, pagesOf(4)), w.process(here, 'poor')];
        const grants: SegmentGrant[] = [
          { read: true, write: false, address: 100, bytes: 50 },
          { read: false, write: true, address: 0, bytes: 16_384 },
          both(4096, 8192),
        ];
        w.run(function* () {
          for (const grant of grants) yield* rich.process.send(server.id, words(work), { grant });
          yield* rich.process.send(server.id, words(work));
          yield* poor.process.send(server.id, words(work), { grant: both(0, 100) });
        });
        same(
          'grants',
          seen.map((g) => g && [g.read, g.write, g.address, g.bytes]),
          [...grants.map((g) => [g.read, g.write, g.address, g.bytes]), null, null],
        );
      }),
  },
  {
    name: 'moveFrom brings bytes of the sender’s memory, as many as were granted, into the receiver’s and nowhere else',
    run: () =>
      wherever(bounds, (w, here, there) => {
        for (const bytes of [0, 1, 700, 4096, 16_384, 16_385, 50_000]) {
          const codes: number[] = [];
          const { client, server } = granted(w, here, there, both(1000, bytes), function* (p, r) {
            codes.push(yield* p.moveFrom(r, 1000, 333, bytes));
          });
          const expected = pattern(server.bytes.length, 2);
          expected.set(pattern(client.bytes.length, 1).subarray(1000, 1000 + bytes), 333);
          same('codes', codes, [ReplyCode.ok]);
          same(`memory of the receiver, ${bytes} bytes`, digest(server.bytes), digest(expected));
          same('memory of the sender', digest(client.bytes), digest(pattern(client.bytes.length, 1)));
        }
      }),
  },
  {
    name: 'moveTo brings bytes of the receiver’s memory into what the sender granted, and nowhere else',
    run: () =>
      wherever(bounds, (w, here, there) => {
        for (const bytes of [0, 1, 700, 4096, 16_384, 16_385, 50_000]) {
          const codes: number[] = [];
          const { client } = granted(w, here, there, both(1000, bytes), function* (p, r) {
            codes.push(yield* p.moveTo(r, 1000, 333, bytes));
          });
          const expected = pattern(client.bytes.length, 1);
          expected.set(pattern(client.bytes.length, 2).subarray(333, 333 + bytes), 1000);
          same('codes', codes, [ReplyCode.ok]);
          same(`memory of the sender, ${bytes} bytes`, digest(client.bytes), digest(expected));
        }
      }),
  },
  {
    name: 'bytes that are in nobody’s memory are moved, too, and the sender’s are had as bytes',
    run: () =>
      wherever(bounds, (w, here, there) => {
        let got: Uint8Array | number = -1;
        const { client } = granted(w, here, there, both(0, 40_000), function* (p, r) {
          got = yield* p.moveBytesFrom(r, 5, 20_000);
          same('code', yield* p.moveBytesTo(r, 15_000, pattern(25_000, 9)), ReplyCode.ok);
        });
        const before = pattern(client.bytes.length, 1);
        const bytes: Uint8Array = typeof got === 'number' ? new Uint8Array(0) : got;
        same('bytes', digest(bytes), digest(before.slice(5, 20_005)));
        before.set(pattern(25_000, 9), 15_000);
        same('memory of the sender', digest(client.bytes), digest(before));
      }),
  },
  {
    name: 'several moves of one request see each other',
    run: () =>
      wherever(bounds, (w, here, there) => {
        granted(w, here, there, both(0, 1000), function* (p, r) {
          for (let i = 1; i <= 5; i++) {
            yield* p.moveBytesTo(r, 10 * i, pattern(10, i));
            const back = yield* p.moveBytesFrom(r, 10 * i, 10);
            same(
              'bytes',
              digest(typeof back === 'number' ? new Uint8Array(0) : back),
              digest(pattern(10, i)),
            );
          }
        });
      }),
  },
  {
    name: 'a move outside the grant, without the right, or without a grant is noPermission and moves nothing',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const attempts: readonly (readonly [SegmentGrant | undefined, 'to' | 'from', number, number])[] = [
          [undefined, 'to', 0, 10],
          [undefined, 'from', 0, 10],
          [both(1000, 100), 'to', 999, 10],
          [both(1000, 100), 'to', 1095, 6],
          [both(1000, 100), 'from', 1100, 1],
          [both(1000, 100), 'from', 0, 4000],
          [both(1000, 40_000), 'to', 1000, 40_001],
          [{ read: true, write: false, address: 1000, bytes: 100 }, 'to', 1000, 10],
          [{ read: false, write: true, address: 1000, bytes: 100 }, 'from', 1000, 10],
          [{ read: false, write: false, address: 1000, bytes: 100 }, 'from', 1000, 10],
        ];
        for (const [grant, way, at, bytes] of attempts) {
          const codes: unknown[] = [];
          const { client, server } = granted(w, here, there, grant, function* (p, r) {
            if (way === 'to') {
              codes.push(yield* p.moveTo(r, at, 0, bytes), yield* p.moveBytesTo(r, at, pattern(bytes, 5)));
            } else {
              codes.push(yield* p.moveFrom(r, at, 0, bytes), yield* p.moveBytesFrom(r, at, bytes));
            }
          });
          same(`codes of ${bytes} bytes ${way} ${at}`, codes as number[], [no, no]);
          same('memory of the sender', digest(client.bytes), digest(pattern(client.bytes.length, 1)));
          same('memory of the receiver', digest(server.bytes), digest(pattern(server.bytes.length, 2)));
        }
      }),
  },
  {
    name: 'memory that is not there, or may not be written, is noPermission, on either side, and nothing is moved',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const codes: unknown[] = [];
        const { client, server } = granted(
          w,
          here,
          there,
          both(0, 100_000),
          function* (p, r) {
            codes.push(
              yield* p.moveBytesFrom(r, 60_000, 10_000),
              yield* p.moveBytesTo(r, 60_000, pattern(10_000, 5)),
            );
            codes.push(yield* p.moveBytesTo(r, 40_000, pattern(3000, 5)));
            codes.push(yield* p.moveFrom(r, 0, 60_000, 10_000), yield* p.moveTo(r, 0, 60_000, 10_000));
          },
          { lockedFrom: 40_960 },
        );
        same('codes', codes as number[], [no, no, no, no, no]);
        same('memory of the sender', digest(client.bytes), digest(pattern(client.bytes.length, 1)));
        same('memory of the receiver', digest(server.bytes), digest(pattern(server.bytes.length, 2)));
      }),
  },
  {
    name: 'after the reply, and for a sender that has gone on, moves are noPermission',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const codes: unknown[] = [];
        const server = w.process(there, 'server', function* (p) {
          const first = yield* p.receive();
          yield* p.reply(first, done);
          codes.push(yield* p.moveBytesTo(first, 0, pattern(10, 1)), yield* p.moveBytesFrom(first, 0, 10));
          const late = yield* p.receive();
          const next = yield* p.receive();
          codes.push(yield* p.moveBytesTo(late, 0, pattern(10, 1)), yield* p.moveBytesFrom(late, 0, 10));
          yield* p.reply(next, done);
        });
        const memory = pagesOf(1);
        const { process } = w.process(here, 'client', undefined, memory);
        w.run(function* () {
          const grant = both(0, 100);
          yield* process.send(server.id, words(work), { grant });
          yield* process.send(server.id, words(work), { grant, timeoutNs: seconds(3) });
          yield* process.send(server.id, words(work));
        });
        same('codes', codes as number[], [no, no, no, no]);
        same('memory', digest(memory.bytes), digest(new Uint8Array(4096)));
      }),
  },
  {
    name: 'a request that is passed on takes its grant along: the next server may move, the one before no more',
    run: () => {
      for (const third of ['one', 'two', 'three'] as const)
        wherever(bounds, (w, here, there) => {
          const codes: unknown[] = [];
          const second = w.process(third, 'second', function* (p) {
            const r = yield* p.receive();
            const bytes = yield* p.moveBytesFrom(r, 0, 100);
            codes.push(typeof bytes === 'number' ? bytes : digest(bytes));
            codes.push(yield* p.moveBytesTo(r, 100, pattern(100, 7)));
            yield* sleep(seconds(5));
            yield* p.reply(r, done);
          });
          const first = w.process(there, 'first', function* (p) {
            const r = yield* p.receive();
            codes.push(yield* p.moveBytesTo(r, 200, pattern(10, 8)));
            codes.push(yield* p.forward(r, second.id, r.message));
            codes.push(yield* p.moveBytesTo(r, 0, pattern(100, 9)));
          });
          const memory = pagesOf(1);
          memory.bytes.set(pattern(4096, 1));
          const client = w.process(here, 'client', undefined, memory);
          const send = client.process.send(first.id, words(work), { grant: both(0, 1000) });
          same('outcome', codeIn(w.run(() => send)), ReplyCode.ok);
          const expected = pattern(4096, 1);
          expected.set(pattern(100, 7), 100);
          expected.set(pattern(10, 8), 200);
          same(
            'codes',
            (codes as (number | string)[]).map(String).toSorted(),
            [0, 0, 0, no, digest(pattern(4096, 1).slice(0, 100))].map(String).toSorted(),
          );
          same('memory of the sender', digest(memory.bytes), digest(expected));
        });
    },
  },
  {
    name: 'each member of a group may move while the sender awaits the first reply',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const group = w.ipc(here).mintGroup();
        const codes: number[] = [];
        for (const [n, host] of [here, there, 'three' as const].entries()) {
          const { process } = w.process(host, `member ${n}`, function* (p) {
            const r = yield* p.receive();
            codes.push(yield* p.moveBytesTo(r, 100 * n, pattern(100, n)));
            yield* sleep(seconds(5));
            yield* p.reply(r, done);
          });
          process.join(group);
        }
        const memory = pagesOf(1);
        const client = w.process(here, 'client', undefined, memory);
        const request = message({ code: work, flags: MessageFlag.manyResponses });
        w.run(() => client.process.send(group, request, { grant: both(0, 300) }));
        same('codes', codes, [0, 0, 0]);
        const expected = new Uint8Array(4096);
        for (const n of [0, 1, 2]) expected.set(pattern(100, n), 100 * n);
        same('memory', digest(memory.bytes), digest(expected));
      }),
  },
];
