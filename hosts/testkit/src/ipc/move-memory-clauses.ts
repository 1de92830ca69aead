/** The memory of processes that go to another host, while others move bytes there and from there. */
import { ms, seconds, sleep, us } from '@backplane/engine';
import { type EntityId, ReplyCode } from '@backplane/slots';
import { type ArrayMemory, pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import { Mobile } from './mobile.ts';
import { everywhere, transits } from './move-clauses.ts';
import { pagesOf } from './pages.ts';
import type { Bounds } from './under-test.ts';
import { codeIn, done, World, words, work } from './world.ts';

/** Who asks a server and grants it the beginning of his memory meanwhile. */
const granter = (w: World, server: EntityId, memory: ArrayMemory, bytes: number): Mobile => {
  const grant = { read: true, write: true, address: 0, bytes };
  return new Mobile(
    w,
    'one',
    'client',
    function* (p) {
      same('outcome', codeIn(yield* p.send(server, words(work), { grant })), ReplyCode.ok);
    },
    memory,
  );
};

export const moveMemoryClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a process does not go while bytes move in or out of its memory or are moved by it; then it does',
    run: () => {
      for (const leaves of ['granter', 'mover'] as const)
        for (const way of ['in', 'out'] as const) {
          const w = new World(bounds);
          const bytes = 15 * 4096;
          let [code, begun] = [-1, false];
          const memory = pagesOf(16);
          const server = new Mobile(w, 'two', 'server', function* (p) {
            const r = yield* p.receive();
            begun = true;
            if (way === 'in') code = yield* p.moveBytesTo(r, 0, pattern(bytes, 5));
            else {
              const read = yield* p.moveBytesFrom(r, 0, bytes);
              code = typeof read === 'number' ? read : ReplyCode.ok;
            }
            yield* p.reply(r, done);
          });
          const client = granter(w, server.id, memory, bytes);
          const moving = leaves === 'granter' ? client : server;
          let busy = 0;
          w.run(function* () {
            for (let i = 0; i < 2000 && moving.host !== 'three'; i++) {
              yield* sleep(us(100));
              if (begun && !(yield* moving.move('three'))) busy++;
            }
            yield* client.thread.join();
          });
          same(`where the ${leaves} is`, moving.host, 'three');
          same(`code (${leaves}, ${way})`, code, ReplyCode.ok);
          // These are several transactions, and the mover is busy with each of them.
          if (leaves === 'mover') holds('it was busy', busy > 3);
          if (way === 'in') same('memory', digest(memory.bytes.slice(0, bytes)), digest(pattern(bytes, 5)));
        }
    },
  },
  {
    name: 'the memory that a process granted is moved to and from wherever it is',
    run: () =>
      everywhere(bounds, (w, other) => {
        for (const transitNs of transits) {
          const memory = pagesOf(1);
          const server = w.process(other, 'server', function* (p) {
            const r = yield* p.receive();
            for (let i = 0; i < 40; i++) {
              const when = `${i}, transits of ${transitNs / 1e6} ms`;
              same(`code of write ${when}`, yield* p.moveBytesTo(r, 0, pattern(100, i)), ReplyCode.ok);
              const read = yield* p.moveBytesFrom(r, 0, 100);
              const found = typeof read === 'number' ? read : digest(read);
              same(`what was read ${when}`, found, digest(pattern(100, i)));
              yield* sleep(ms(3));
            }
            yield* p.reply(r, done);
          });
          const client = granter(w, server.id, memory, 100);
          w.run(function* () {
            for (const to of ['two', 'three', 'one'] as const) {
              yield* sleep(ms(20));
              yield* client.moveSoon(to, transitNs);
            }
            yield* client.thread.join();
          });
        }
      }),
  },
  {
    name: 'a move of bytes that waits for a frozen process goes on where that has moved',
    run: () =>
      everywhere(bounds, (w, other) => {
        let code = -1;
        const memory = pagesOf(1);
        const server = w.process(other, 'server', function* (p) {
          const r = yield* p.receive();
          yield* sleep(seconds(1));
          code = yield* p.moveBytesTo(r, 0, pattern(100, 3));
          yield* p.reply(r, done);
        });
        const client = granter(w, server.id, memory, 100);
        w.run(function* () {
          yield* sleep(ms(500));
          client.process.freeze();
          yield* sleep(seconds(3));
          same('while it is frozen', memory.bytes[1] ?? -1, 0);
          yield* client.moveSoon('two');
          yield* client.thread.join();
        });
        same('code', code, ReplyCode.ok);
        same('memory', digest(memory.bytes.slice(0, 100)), digest(pattern(100, 3)));
      }),
  },
];
