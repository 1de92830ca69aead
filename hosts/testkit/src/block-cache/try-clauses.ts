/** What may be done without waiting, of caches that offer it. */
import { settle, type Task } from '@backplane/engine';
import type { CachedObject, PageFrame } from '@backplane/slots';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { Store, World } from './world.ts';

interface Write {
  readonly what: string;
  readonly block: number;
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly fetchFirst: boolean;
}

/** Writes to an object of which block 1 is cached. */
const writes = (w: World): readonly Write[] => [
  { what: 'a whole block', block: 0, at: 0, bytes: w.block(3), fetchFirst: false },
  { what: 'the beginning of a new block', block: 2, at: 0, bytes: filled(700, 4), fetchFirst: false },
  { what: 'more of it', block: 2, at: 700, bytes: filled(900, 5), fetchFirst: false },
  { what: 'a part of a cached block', block: 1, at: 50, bytes: filled(100, 6), fetchFirst: true },
  {
    what: 'a part of a block that has to be fetched',
    block: 3,
    at: 50,
    bytes: filled(9, 7),
    fetchFirst: true,
  },
];

/** A store that takes blocks at once, except those. */
class Log extends Store {
  refusing: (block: number) => boolean = () => false;

  tryWriteBack(block: number, bytes: Uint8Array): boolean {
    if (this.refusing(block)) return false;
    this.log.push(`take ${block}`);
    this.blocks.set(block, bytes);
    return true;
  }
}

/** What the object is, and what has been spent. */
function* state(w: World, o: CachedObject, store: Store): Task<string> {
  yield* settle();
  return `${o.cachedBlocks} cached, ${o.dirtyBlocks} dirty, ${store.log.length} asked, at ${w.rig.nowNs} ns`;
}

/** The object, with a clock that shows what is charged. */
function begun(bounds: Bounds): { w: World; store: Store; o: CachedObject } {
  const w = new World(bounds, 1, { blockOperationNs: 1000, copyNsPerByte: 10 });
  const store = new Store(w);
  const o = w.object('o', store);
  w.run(() => o.read(1));
  return { w, store, o };
}

export const tryClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'tryWrite does and charges all that write does, or nothing; it never fetches, nor goes on without what it would have to',
    run: () => {
      const { w, store, o } = begun(bounds);
      const twin = begun(bounds);
      if (o.tryWrite === undefined) return;
      for (const { what, block, at, bytes, fetchFirst } of writes(w)) {
        const after = w.run(function* () {
          const handedOut = o.tryRead(block) ?? filled(0, 0);
          const before = digest(handedOut);
          const unchanged = yield* state(w, o, store);
          const written = o.tryWrite?.(block, at, bytes, { fetchFirst }) === true;
          if (written) holds(`${what} without a fetch`, !fetchFirst || handedOut.length > 0);
          else {
            same(`${what}, refused`, yield* state(w, o, store), unchanged);
            yield* o.write(block, at, bytes, { fetchFirst });
          }
          same(`${what}: what was handed out`, digest(handedOut), before);
          return [yield* state(w, o, store), digest(o.tryRead(block) ?? filled(0, 0))];
        });
        const expected = twin.w.run(function* () {
          twin.o.tryRead(block);
          yield* twin.o.write(block, at, bytes, { fetchFirst });
          return [yield* state(twin.w, twin.o, twin.store), digest(twin.o.tryRead(block) ?? filled(0, 0))];
        });
        same(what, after, expected);
      }
      w.run(() => o.flush());
      same('stored', [...store.blocks.keys()].sort(), [0, 1, 2, 3]);
    },
  },
  {
    name: 'tryWrite says no when there is no place',
    run: () => {
      const w = new World(bounds);
      const hoard: PageFrame[] = [];
      for (let f = w.memory.allocate('check'); f !== undefined; f = w.memory.allocate('check')) hoard.push(f);
      const o = w.object('o', new Store(w));
      w.run(function* () {
        const written = o.tryWrite?.(0, 0, w.block(1), { fetchFirst: false }) ?? false;
        same('written, cached and dirty', [written, o.cachedBlocks, o.dirtyBlocks], [false, 0, 0]);
      });
      for (const f of hoard) w.memory.release(f);
    },
  },
  {
    name: 'tryFlush says yes when no block is dirty any more; what it could not store stays dirty, and flush stores it',
    run: () => {
      const w = new World(bounds);
      const store = new Log(w);
      const o = w.object('o', store);
      if (o.tryFlush === undefined) return;
      w.run(function* () {
        for (let n = 0; n < 4; n++) yield* o.write(n, 0, w.block(n + 1), { fetchFirst: false });
        store.refusing = (n) => n === 2;
        holds('refused while a block is', o.tryFlush?.() === false);
        holds('that block is dirty', o.dirtyBlocks > 0 && !store.blocks.has(2));
        store.refusing = () => false;
        same('flushed', o.tryFlush?.() === true ? o.dirtyBlocks : 0, 0);
        yield* o.flush();
        for (let n = 0; n < 4; n++)
          same(`block ${n}`, digest(store.blocks.get(n) ?? filled(0, 0)), digest(w.block(n + 1)));
        holds('yes when nothing is dirty', o.tryFlush?.() === true);
        const slow = w.object('slow', new Store(w));
        yield* slow.write(0, 0, w.block(1), { fetchFirst: false });
        holds(
          'no where the backing has to be waited for',
          slow.tryFlush?.() === false && slow.dirtyBlocks === 1,
        );
      });
    },
  },
];
