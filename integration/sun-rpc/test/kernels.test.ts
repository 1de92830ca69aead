/** Whole Sprite kernels over Sun RPC, and over Sprite RPC in internet datagrams. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { duplicationRule, lossRule, reorderRule } from '@backplane/hw-ethernet';
import { sun3x75 } from '@backplane/hw-machines';
import type { Calls } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { caches, get, put, transports, World } from './kernels.ts';

/** Makes, writes, reads, renames, lists and removes; what it saw. */
function* files(sys: Calls, place: string): Task<string[]> {
  yield* sys.mkdir(place, 0o755);
  for (let i = 0; i < 4; i++) yield* put(sys, `${place}/f${i}`, pattern(i * 7000, i));
  const seen: string[] = [];
  for (let i = 0; i < 4; i++) {
    const content = yield* get(sys, `${place}/f${i}`);
    const right = pattern(i * 7000, i);
    seen.push(`${content.length} ${content.every((x, at) => x === right[at]) ? 'right' : 'wrong'}`);
  }
  yield* sys.rename(`${place}/f1`, `${place}/g`);
  yield* sys.unlink(`${place}/f2`);
  const names = yield* sys.entries(place);
  seen.push([...names].sort().join(' '));
  return seen;
}
const seenRight = ['0 right', '7000 right', '14000 right', '21000 right', 'f0 f3 g'];

for (const [transport, boards] of Object.entries(transports))
  describe(`Sprite kernels over ${transport}`, () => {
    for (const [cache, boardsOfCache] of Object.entries(caches)) {
      it(`make, write, read, rename and remove files with the file cache "${cache}"`, () => {
        const world = new World([boards, boardsOfCache]);
        const seen = world.drive(() => world.on(0, (sys) => files(sys, '/d')));
        expect(seen).toEqual(seenRight);
        expect(world.metric('rpc.calls')).toBeGreaterThan(10);
      });

      it(`share files with the file cache "${cache}", over a wire that loses, repeats and reorders`, () => {
        const world = new World([boards, boardsOfCache], { seed: 5 });
        const { medium, engine } = world.cluster;
        const random = engine.random('faults');
        medium.addRule(lossRule(engine, random, { probability: 0.04 }));
        medium.addRule(duplicationRule(engine, random, { probability: 0.05 }));
        medium.addRule(reorderRule(engine, random, { probability: 0.05, delayNsMax: ms(300) }));
        world.drive(function* () {
          const both = [0, 1].map((i) =>
            world.cluster.scope.spawn(
              'both',
              world.on(i, (sys) => files(sys, `/d${i}`)),
            ),
          );
          for (const thread of both) expect(yield* thread.join()).toEqual(seenRight);
          yield* sleep(seconds(60)); // attributes that a client keeps are out of date by then
          const other = yield* world.on(1, (sys) => get(sys, '/d0/f3'));
          expect([...other]).toEqual([...pattern(21_000, 3)]);
        });
        expect(world.metric('rpc.retransmissions')).toBeGreaterThan(0);
      });

      it(`go on after the server has rebooted, with the file cache "${cache}"`, () => {
        const world = new World([boards, boardsOfCache]);
        const content = world.drive(function* () {
          yield* world.on(0, (sys) => put(sys, '/kept', pattern(9000, 1)));
          yield* sleep(seconds(90)); // delayed writes are at the server by then
          yield* world.reboot(world.server, seconds(20));
          yield* sleep(seconds(120));
          return yield* world.on(1, (sys) => get(sys, '/kept'));
        });
        expect([...content]).toEqual([...pattern(9000, 1)]);
      });
    }

    it('take the time of their processors', () => {
      const world = new World([boards, caches.sprite], { type: sun3x75 });
      const seen = world.drive(() => world.on(0, (sys) => files(sys, '/d')));
      expect(seen).toEqual(seenRight);
      expect(world.cluster.engine.nowNs).toBeGreaterThan(ms(100));
    });
  });
