import { ms, sleep, type Task } from '@backplane/engine';
import { grantBit, message } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Memory } from './memory.ts';
import { code, type Made, World, word, words } from './world.ts';

/** What clients get from servers that decide by the number that they are asked, wherever all of them are. */
function results(seed: number, hosts: number): string[] {
  const w = new World({ seed, hosts });
  const random = w.engine.random('program');
  const servers: Made[] = [];
  for (let n = 0; n < 4; n++)
    servers.push(
      w.host(n % hosts).process(
        `server ${n}`,
        function* (p): Task<void> {
          for (;;) {
            const r = yield* p.receive();
            const [number, steps] = [word(r, 1), word(r, 2)];
            const next = servers[(n + 1 + (number % 3)) % 4];
            if (number % 4 === 1 && steps < number % 15 && next !== undefined) {
              const onward = message({ code: 1 | grantBit, words: [number, steps + 1, 3, 100, 500] });
              if ((yield* p.forward(r, next.process.id, onward)) === 0) continue;
            }
            const codes = [
              yield* p.moveFrom(r, number, 0, number % 300),
              yield* p.moveBytesTo(r, 100 + (number % 50), pattern(number % 480, number)),
            ];
            if (number % 11 === 3) {
              p.discard(r);
              continue;
            }
            yield* p.reply(r, words(codes[0] ?? 0, codes[1] ?? 0, number, n));
          }
        },
        new Memory(1024),
      ),
    );
  const got: string[][] = [];
  const threads = Array.from({ length: 5 }, (_, n) => {
    const plan = Array.from({ length: 8 }, () => random.below(700));
    const memory = new Memory(1024);
    const lines: string[] = [];
    got.push(lines);
    return w.host((n + 1) % hosts).process(
      `client ${n}`,
      function* (p): Task<void> {
        for (const number of plan) {
          memory.bytes.fill(n);
          const grant = { read: true, write: number % 5 !== 0, address: 100, bytes: 500 };
          const to = servers[number % 4]?.process.id ?? p.id;
          // Longer than any of them takes: silence is no answer here.
          const response = yield* p.send(to, words(1, number), { grant, timeoutNs: ms(2000) });
          // Of a failure after a forward, the sender may know the last one who was asked, or the first.
          const from =
            code(response) > 6 ? '-' : servers.findIndex(({ process }) => process.id === response.from);
          const bytes = memory.bytes.reduce((sum, b, i) => (sum + b * i) % 65_521, 0);
          lines.push(
            `${number}: ${code(response)} ${[1, 2, 3].map((i) => word(response, i))} from ${from}, ${bytes}`,
          );
          yield* sleep(ms(1));
        }
      },
      memory,
    ).thread;
  });
  w.run(function* () {
    for (const t of threads) yield* t.join();
  });
  return got.flat();
}

describe('location', () => {
  it('does not show: the same program gives the same results on one host, on two and on three', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const onOne = results(seed, 1);
      expect(results(seed, 2), `seed ${seed}`).toEqual(onOne);
      expect(results(seed, 3), `seed ${seed}`).toEqual(onOne);
    }
  });
});
