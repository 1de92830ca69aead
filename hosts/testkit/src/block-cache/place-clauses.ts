/** Page frames: who goes when there are not enough. */
import type { PageFrame } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, holds, same, within } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { Store, World } from './world.ts';

export const placeClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'more blocks than there are page frames for: all can be read and written, and no more frames are taken than the policy allows',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      const frames = w.memory.frameCount;
      w.run(function* () {
        for (let n = 0; n < 3 * w.places; n++) {
          yield* o.write(n, 0, w.block(n % 200), { fetchFirst: false });
          within('frames taken', frames - w.memory.freeCount, 0, frames / 2);
        }
        for (let n = 0; n < 3 * w.places; n++)
          same(`block ${n}`, digest(yield* o.read(n)), digest(w.block(n % 200)));
      });
      within('cached', o.cachedBlocks, 1, w.places);
    },
  },
  {
    name: 'blocks that were used lately stay, and those of an object that was made oldest go first',
    run: () => {
      const w = new World(bounds);
      const [a, b, c] = [
        w.object('a', new Store(w)),
        w.object('b', new Store(w)),
        w.object('c', new Store(w)),
      ];
      const third = Math.floor(w.places / 3);
      w.run(function* () {
        for (const o of [a, b]) for (let n = 0; n < third; n++) yield* o.read(n);
        // a is older than b, until it is used; then b is; then a again, since it is said so.
        for (let n = 0; n < third; n++) a.tryRead(n);
        for (let n = 0; n < third + third; n++) yield* c.read(n);
        holds('b has lost more than a', b.cachedBlocks < a.cachedBlocks);
        a.makeOldest();
        const before = b.cachedBlocks + c.cachedBlocks;
        const d = w.object('d', new Store(w));
        for (let n = 0; n < Math.min(4, a.cachedBlocks); n++) yield* d.read(n);
        same('the others have what they had', b.cachedBlocks + c.cachedBlocks, before);
      });
    },
  },
  {
    name: 'cached blocks of a released object stay until their frames are wanted',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      w.run(function* () {
        for (let n = 0; n < 4; n++) yield* o.read(n);
        o.release();
        const other = w.object('other', new Store(w));
        for (let n = 0; n < 3 * w.places; n++) yield* other.read(n);
        same('left', w.object('o', store).cachedBlocks, 0);
      });
    },
  },
  {
    name: 'dropped blocks give their places back',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      w.run(function* () {
        for (let turn = 0; turn < 5; turn++) {
          for (let n = 0; n < w.places; n++) yield* o.write(n, 0, w.block(1), { fetchFirst: false });
          o.drop('all');
        }
      });
      same('written back for want of a place', store.log.length, 0);
    },
  },
  {
    name: 'noSpace when no page frame can be had; what is there stays',
    run: () => {
      const w = new World(bounds);
      const hoard: PageFrame[] = [];
      for (let f = w.memory.allocate('check'); f !== undefined; f = w.memory.allocate('check')) hoard.push(f);
      const store = new Store(w);
      const o = w.object('o', store);
      w.run(function* () {
        same('a write', yield* kindOf(o.write(0, 0, w.block(1), { fetchFirst: false })), 'noSpace');
        for (const f of hoard) w.memory.release(f);
        same('when there is one', yield* kindOf(o.write(0, 0, w.block(1), { fetchFirst: false })), 'ok');
        yield* o.flush();
        same('stored', digest(store.blocks.get(0) ?? w.block(0)), digest(w.block(1)));
      });
    },
  },
];
