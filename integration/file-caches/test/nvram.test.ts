/**
 * Non-volatile memory behind the caches of clients, over real kernels: what was dirty when a client crashed is there after
 * its reboot, unless somebody else has written the file since; and less is written to the server. `npm test` runs 30 seeds
 * of the campaign of crashes; with BACKPLANE_FULL it is 300.
 */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { ms, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { partitionRule } from '@backplane/hw-ethernet';
import { nvramBlocks } from '@backplane/hw-nvram';
import type { Calls, Kernel } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { bytes, failure, get, put, type Shape, text, World } from './world.ts';

const block = 4096;

/** With memory for so many blocks in each client. */
const withMemory =
  (blocks = 256, asideSeconds = 0) =>
  (kernel: Kernel): Kernel =>
    kernel.with({
      nvram: nvramBlocks({ bytes: blocks * block }),
      blockCache: lruBlockCache({ asideSeconds }),
    });

const world = (shape: Shape = {}): World => new World({ client: withMemory(), ...shape });

const kept = (w: World, i = 0): number => w.client(i).board('nvram').blocks;

/** Off, without the orderly end of anything. */
function crash(w: World, i = 0): void {
  w.client(i).crash();
}

function* boot(w: World, i = 0): Task<void> {
  w.client(i).boot();
  yield* w.client(i).running();
}

describe('a client crash', () => {
  const afterCrash = (shape: Shape): readonly unknown[] => {
    const w = new World(shape);
    return w.drive(function* () {
      yield* w.on(w.server, (sys) => put(sys, '/f', 'old'));
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'new and longer'));
      yield* w.on(w.client(0), (sys) => put(sys, '/big', 'x'.repeat(3 * block + 100)));
      yield* sleep(seconds(5));
      crash(w);
      yield* boot(w);
      yield* sleep(seconds(2));
      const big = yield* w.on(w.client(1), (sys) => get(sys, '/big'));
      return [yield* w.on(w.client(1), (sys) => get(sys, '/f')), big === 'x'.repeat(3 * block + 100)];
    });
  };

  it('costs what was dirty without the memory', () => {
    expect(afterCrash({})).toEqual(['', false]);
  });

  it('costs nothing with it', () => {
    expect(afterCrash({ client: withMemory() })).toEqual(['new and longer', true]);
  });

  it('costs nothing without a recovery board either, and on machines on which everything takes its time', () => {
    const client = (kernel: Kernel): Kernel => withMemory()(kernel).without('recovery');
    expect(afterCrash({ client })).toEqual(['new and longer', true]);
    expect(afterCrash({ client: withMemory(), costs: true })).toEqual(['new and longer', true]);
  });

  it('leaves the memory empty once the server has everything on its disk', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'x'.repeat(2 * block)));
      const before = kept(w);
      crash(w);
      const down = kept(w);
      yield* boot(w);
      yield* sleep(seconds(2));
      const after = kept(w);
      yield* w.reboot(w.server);
      return [before, down, after, (yield* w.on(w.client(1), (sys) => get(sys, '/f'))).length];
    });
    expect(seen).toEqual([2, 2, 0, 2 * block]);
    expect(w.metric('survivorsFound')).toBe(2);
    expect(w.metric('survivorsRestored')).toBe(2);
    expect(w.metric('survivorsRefused')).toBe(0);
  });

  it('lets others read the old bytes while the client is down, and no longer than that', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.server, (sys) => put(sys, '/f', 'old'));
      yield* w.on(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { write: true });
        yield* sys.write(fd, bytes('new'));
        yield* sys.close(fd);
      });
      crash(w);
      const contents: string[] = [];
      const reader = w.start(w.client(1), function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        contents.push(text(yield* sys.readAt(fd, 0, 10)));
        yield* sys.sleep(seconds(60));
        contents.push(text(yield* sys.readAt(fd, 0, 10)));
      });
      yield* sleep(seconds(20));
      yield* boot(w);
      yield* reader.join();
      contents.push(yield* w.on(w.client(1), (sys) => get(sys, '/f')));
      return contents;
    });
    expect(seen).toEqual(['old', 'new', 'new']);
  });

  it('lets programs of the client itself go on with what they had, from the first one on', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'first'));
      crash(w);
      yield* boot(w);
      const found = yield* w.on(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { read: true, write: true });
        const content = text(yield* sys.readAt(fd, 0, 10));
        yield* sys.writeAt(fd, 5, bytes(' second'));
        yield* sys.close(fd);
        return content;
      });
      return [found, yield* w.on(w.client(1), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual(['first', 'first second']);
  });

  it('a second time, before the server has heard anything, costs nothing either', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'kept'));
      crash(w);
      yield* boot(w);
      crash(w);
      yield* boot(w);
      yield* sleep(ms(1));
      crash(w);
      yield* boot(w);
      yield* sleep(seconds(5));
      return [kept(w), yield* w.on(w.client(1), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual([0, 'kept']);
  });

  it('in the middle of a truncation leaves nothing beyond it', () => {
    const w = world();
    const seen = w.drive(function* () {
      w.start(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { write: true, create: true });
        yield* sys.write(fd, bytes('x'.repeat(3 * block)));
        yield* sys.sync(fd);
        yield* sys.sleep(seconds(10));
        yield* sys.truncateOpen(fd, 10);
      });
      yield* sleep(seconds(5));
      // The server never hears of it.
      const mend = w.cluster.medium.addRule(partitionRule(w.cluster.engine, [['client0'], ['allspice']]));
      yield* sleep(seconds(6));
      crash(w);
      mend();
      yield* boot(w);
      yield* sleep(seconds(40));
      return yield* w.on(w.client(1), (sys) => get(sys, '/f'));
    });
    expect(seen).toBe('x'.repeat(10));
  });
});

describe('a survivor', () => {
  const conflict = (meanwhile: (w: World) => Task<void>): World & { readonly seen: unknown } => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'of the crashed one'));
      crash(w);
      yield* meanwhile(w);
      yield* boot(w);
      yield* sleep(seconds(60));
      const failed = yield* w.on(w.client(0), (sys) => failure(sys.stat('/f')));
      return [failed ?? (yield* w.on(w.client(0), (sys) => get(sys, '/f'))), kept(w)];
    });
    return Object.assign(w, { seen });
  };

  it('is refused when another client has written the file since: the newer bytes stay', () => {
    const w = conflict((x) => x.on(x.client(1), (sys) => put(sys, '/f', 'newer')));
    expect(w.seen).toEqual(['newer', 0]);
    expect([w.metric('survivorsRefused'), w.metric('survivorsRestored')]).toEqual([1, 0]);
  });

  it('is refused too when the server has rebooted since that', () => {
    const w = conflict(function* (x) {
      yield* x.on(x.client(1), function* (sys) {
        yield* put(sys, '/f', 'newer');
        yield* sys.sync(yield* sys.open('/f', { write: true }));
      });
      yield* x.reboot(x.server);
    });
    expect(w.seen).toEqual(['newer', 0]);
    expect(w.metric('survivorsRefused')).toBe(1);
  });

  it('is admitted when the server has rebooted, and nobody has written', () => {
    const w = conflict(function* (x) {
      yield* x.on(x.client(1), (sys) => get(sys, '/f'));
      yield* x.reboot(x.server);
    });
    expect(w.seen).toEqual(['of the crashed one', 0]);
  });

  it('of a file that is gone is let go', () => {
    const w = conflict((x) => x.on(x.client(1), (sys) => sys.unlink('/f')));
    expect(w.seen).toEqual(['notFound', 0]);
    expect(w.metric('survivorsRefused')).toBe(1);
  });

  it('waits for a server that is down when its client boots', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'patient'));
      yield* w.on(w.client(0), function* (sys) {
        yield* sys.sync(yield* sys.open('/f', { write: true }));
      });
      crash(w);
      w.server.crash();
      yield* boot(w);
      yield* sleep(seconds(300));
      const waiting = kept(w);
      w.server.boot();
      yield* w.server.running();
      yield* sleep(seconds(60));
      return [waiting, kept(w), yield* w.on(w.client(1), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual([1, 0, 'patient']);
  });

  it('that an orderly halt could not give to a silent server is given after the next boot', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'halted'));
      const mend = w.cluster.medium.addRule(partitionRule(w.cluster.engine, [['client0'], ['allspice']]));
      yield* w.client(0).halt();
      const off = kept(w);
      mend();
      yield* boot(w);
      yield* sleep(seconds(60));
      return [off, kept(w), yield* w.on(w.client(1), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual([1, 0, 'halted']);
  });
});

describe('the memory', () => {
  it('is left when another client opens the file', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'recalled'));
      const before = kept(w);
      const content = yield* w.on(w.client(1), (sys) => get(sys, '/f'));
      return [before, content, kept(w)];
    });
    expect(seen).toEqual([1, 'recalled', 0]);
    expect(w.metric('recalls')).toBe(1);
  });

  it('is left when the file is removed, and nothing is written', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'x'.repeat(5 * block)));
      const before = kept(w);
      yield* w.on(w.client(0), (sys) => sys.unlink('/f'));
      yield* sleep(seconds(1));
      return [before, kept(w)];
    });
    expect(seen).toEqual([5, 0]);
    expect(w.metric('bytesWrittenBack')).toBe(0);
  });

  it('keeps dirty blocks longer than thirty seconds, or as long as it is told to', () => {
    const after = (asideSeconds: number): readonly number[] => {
      const w = world({ client: withMemory(256, asideSeconds) });
      return w.drive(function* () {
        yield* w.on(w.client(0), (sys) => put(sys, '/f', 'x'));
        const counts: number[] = [];
        for (const more of [60, 60, 3600]) {
          yield* sleep(seconds(more));
          counts.push(kept(w));
        }
        return counts;
      });
    };
    expect(after(0)).toEqual([1, 1, 1]);
    expect(after(100)).toEqual([1, 0, 0]);
  });

  it('makes room by writing back what has been there longest', () => {
    const w = world({ client: withMemory(4) });
    const seen = w.drive(function* () {
      for (let i = 0; i < 7; i++) yield* w.on(w.client(0), (sys) => put(sys, `/f${i}`, `content ${i}`));
      const labels = w.client(0).board('nvram').labels().length;
      crash(w);
      yield* boot(w);
      yield* sleep(seconds(60));
      const contents: string[] = [];
      for (let i = 0; i < 7; i++) contents.push(yield* w.on(w.client(1), (sys) => get(sys, `/f${i}`)));
      return [labels, contents];
    });
    expect(seen).toEqual([4, [0, 1, 2, 3, 4, 5, 6].map((i) => `content ${i}`)]);
    const metrics = w.cluster.metrics();
    expect(metrics['cache.client.asideWriteBacks']).toBe(3);
    expect(metrics['cache.client.asideMisses']).toBe(0);
  });

  it('that is full while the server is down leaves further blocks to the thirty seconds', () => {
    const w = world({ client: withMemory(2) });
    const seen = w.drive(function* () {
      const program = w.start(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { write: true, create: true });
        yield* sys.write(fd, bytes('a'.repeat(2 * block)));
        yield* sys.sleep(seconds(20));
        yield* sys.write(fd, bytes('b'.repeat(2 * block)));
        yield* sys.close(fd);
      });
      yield* sleep(seconds(10));
      w.server.crash();
      yield* sleep(seconds(60));
      const misses = w.cluster.metrics()['cache.client.asideMisses'] ?? 0;
      w.server.boot();
      yield* program.join();
      yield* sleep(seconds(100));
      return [misses > 0, yield* w.on(w.client(1), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual([true, 'a'.repeat(2 * block) + 'b'.repeat(2 * block)]);
  });
});

describe('fsync', () => {
  /** A program that syncs a file, makes it longer and syncs again; and calls back in between. */
  function* program(w: World, between: () => Task<void>): Task<number> {
    return yield* w.on(w.client(0), function* (sys) {
      const fd = yield* sys.open('/f', { write: true, create: true });
      yield* sys.write(fd, bytes('made '));
      yield* sys.sync(fd);
      yield* between();
      const startNs = w.nowNs;
      yield* sys.write(fd, bytes('and changed'));
      yield* sys.sync(fd);
      return w.nowNs - startNs;
    });
  }

  it('returns when the data are in the memory, and asks nothing of the server', () => {
    const w = world({ costs: true, drive: { metadata: 'synchronous' } });
    const seen = w.drive(function* () {
      const tookNs = yield* program(w, function* () {
        w.server.crash();
      });
      crash(w);
      w.server.boot();
      yield* boot(w);
      yield* sleep(seconds(60));
      return [tookNs < ms(5), yield* w.on(w.client(1), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual([true, 'made and changed']);
  });

  it('waits for the server’s disk without the memory', () => {
    const w = new World({ costs: true, drive: { metadata: 'synchronous' } });
    const tookNs = w.drive(() => program(w, function* () {}));
    expect(tookNs).toBeGreaterThan(ms(10));
  });

  it('of a file that the server has just made waits until that is on its disk, and sends no data', () => {
    const w = world({ costs: true, drive: { metadata: 'delayed' } });
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), function* (sys) {
        const fd = yield* sys.open('/new', { write: true, create: true });
        yield* sys.write(fd, bytes('new'));
        yield* sys.sync(fd);
      });
      const sent = w.metric('bytesWrittenBack');
      crash(w);
      yield* w.reboot(w.server);
      yield* boot(w);
      yield* sleep(seconds(60));
      return [sent, yield* w.on(w.client(1), (sys) => get(sys, '/new'))];
    });
    expect(seen).toEqual([0, 'new']);
  });

  it('keeps its promise when the block leaves the memory and then the server crashes', () => {
    const lost = (sync: boolean): string => {
      const w = world({ cache: { serverWrite: 'delayed' } });
      return w.drive(function* () {
        yield* w.on(w.client(0), function* (sys) {
          const fd = yield* sys.open('/f', { write: true, create: true });
          yield* sys.sync(fd);
          yield* sys.write(fd, bytes('promised'));
          if (sync) yield* sys.sync(fd);
          yield* sys.syncAll();
        });
        // Nobody has copies any more.
        crash(w);
        yield* w.reboot(w.server);
        return yield* w.on(w.client(1), (sys) => get(sys, '/f'));
      });
    };
    expect(lost(false)).toBe('');
    expect(lost(true)).toBe('promised');
  });
});

/** Young files that are overwritten or removed after a while, and some that stay. */
function* youngFiles(sys: Calls, random: RandomStream, minutes: number): Task<void> {
  for (let n = 0; n < minutes * 20; n++) {
    const path = `/young${random.below(100)}`;
    if (random.chance(0.3)) yield* failure(sys.unlink(path));
    else yield* put(sys, path, 'y'.repeat(1 + random.below(6 * block)));
    if (n % 5 === 0) yield* put(sys, `/stays${n}`, 's'.repeat(2 * block));
    yield* sys.sleep(seconds(1) + random.below(seconds(4)));
  }
}

describe('the traffic of writes', () => {
  it('falls with memory in the client, the more the larger it is, where young files are overwritten and removed', () => {
    const written = (shape: Shape): number => {
      const w = new World({ ...shape, clients: 1, seed: 7 });
      const random = w.cluster.engine.random('young files');
      w.drive(() => w.on(w.client(0), (sys) => youngFiles(sys, random, 45)));
      return w.metric('bytesWrittenBack');
    };
    const without = written({});
    const half = written({ client: withMemory(128) });
    const whole = written({ client: withMemory(256) });
    expect(half).toBeLessThan(without);
    expect(whole).toBeLessThan(half);
    // By how much is a matter of the trace: the published 40 to 50 per cent are of others.
    expect(whole).toBeGreaterThan(0);
  });
});

const runs = process.env['BACKPLANE_FULL'] === undefined ? 30 : 300;

/** What fsync has confirmed of a file, by block, and which values written since may be there as well. */
class Promised {
  readonly confirmed: Map<number, number> = new Map();
  readonly since: Map<number, Set<number>> = new Map();
  /** Written last, in this life of the client. */
  readonly latest: Map<number, number> = new Map();

  writes(n: number, value: number): void {
    const values = this.since.get(n) ?? new Set();
    this.since.set(n, values.add(value));
    this.latest.set(n, value);
  }

  synced(): void {
    for (const [n, value] of this.latest) {
      this.confirmed.set(n, value);
      this.since.delete(n);
    }
  }

  /** From that block on nothing is promised any more. */
  cut(from: number): void {
    for (const by of [this.confirmed, this.since, this.latest])
      for (const n of [...by.keys()]) if (n >= from) by.delete(n);
  }
}

interface Work {
  readonly w: World;
  readonly random: RandomStream;
  /** By path; of a file that several write, what the last one was promised. */
  readonly promised: Map<string, Promised>;
  serial: number;
  /** Who has the shared file open. */
  sharers: number;
}

const filled = (value: number): Uint8Array => {
  const one = new Uint8Array(block);
  new DataView(one.buffer).setUint32(0, value);
  return one.fill(value & 0xff, 4);
};
const valueIn = (b: Uint8Array): number | undefined => {
  if (b.length !== block) return undefined;
  const value = new DataView(b.buffer, b.byteOffset).getUint32(0);
  return b.subarray(4).every((x) => x === (value & 0xff)) ? value : undefined;
};

/** Opens files of its own and one that it shares, writes blocks, cuts, syncs, removes; for ever. */
function* writer(sys: Calls, who: number, work: Work): Task<void> {
  const { random, promised } = work;
  for (;;) {
    const shared = random.chance(0.2);
    const path = shared ? '/shared' : `/own${who}.${random.below(4)}`;
    if (!shared && random.chance(0.1)) {
      promised.delete(path);
      yield* failure(sys.unlink(path));
    } else yield* session(sys, path, work, shared);
    yield* sys.sleep(random.below(seconds(3)));
  }
}

function* session(sys: Calls, path: string, work: Work, shared: boolean): Task<void> {
  const { random, promised } = work;
  // What another one was promised ends when this one may write.
  if (shared) {
    promised.delete(path);
    work.sharers++;
  }
  // Two that have the file open at the same time are promised nothing here: each may overwrite the other's.
  const alone = !shared || work.sharers === 1;
  const fd = yield* sys.open(path, { read: true, write: true, create: true });
  const mine = (shared ? undefined : promised.get(path)) ?? new Promised();
  promised.set(path, mine);
  for (let n = 1 + random.below(6); n > 0; n--) {
    if (random.chance(0.1)) {
      const blocks = random.below(8);
      mine.cut(blocks);
      yield* sys.truncateOpen(fd, blocks * block);
    } else {
      const b = random.below(12);
      const value = ++work.serial;
      mine.writes(b, value);
      yield* sys.writeAt(fd, b * block, filled(value));
    }
    if (random.chance(0.3)) {
      yield* sys.sync(fd);
      if (alone && promised.get(path) === mine) mine.synced();
    }
    yield* sys.sleep(random.below(seconds(1)));
  }
  yield* sys.close(fd);
  if (shared) work.sharers--;
}

/** What is missing of what was promised, as the last client sees it. */
function* missing({ w, promised }: Work): Task<readonly string[]> {
  return yield* w.on(w.client(2), function* (sys) {
    const wrong: string[] = [];
    for (const [path, { confirmed, since }] of promised) {
      if (confirmed.size === 0) continue;
      const fd = yield* sys.open(path, { read: true });
      for (const [n, value] of confirmed) {
        const found = valueIn(yield* sys.readAt(fd, n * block, block));
        if (found !== value && (found === undefined || since.get(n)?.has(found) !== true))
          wrong.push(`${path} block ${n}: ${found}, not ${value}`);
      }
      yield* sys.close(fd);
    }
    return wrong;
  });
}

interface Outcome {
  readonly missing: readonly string[];
  readonly promises: number;
  readonly restored: number;
  readonly refused: number;
  readonly hash: string;
}

/** Two clients at work that crash at any moment, five times; in every third run the server as well. */
function campaign(seed: number, shape: Shape = { client: withMemory(16 + (seed % 3) * 60) }): Outcome {
  const w = new World({ seed, clients: 3, costs: true, ...shape });
  const work: Work = {
    w,
    random: w.cluster.engine.random('campaign'),
    promised: new Map(),
    serial: 0,
    sharers: 0,
  };
  const { random } = work;
  const found: string[] = [];
  let promises = 0;
  w.drive(function* () {
    const begin = (i: number): void => void w.start(w.client(i), (sys) => writer(sys, i, work));
    for (const i of [0, 1]) begin(i);
    for (let round = 0; round < 5; round++) {
      yield* sleep(seconds(5) + random.below(seconds(40)));
      const first = random.below(2);
      crash(w, first);
      // The other one goes on for a while, or dies with it; what is promised stands still then.
      if (random.chance(0.7)) yield* sleep(random.below(seconds(30)));
      crash(w, 1 - first);
      yield* sleep(random.below(seconds(20)));
      if (seed % 3 === 0 && random.chance(0.5)) w.server.crash();
      for (const i of [0, 1]) yield* boot(w, i);
      yield* sleep(random.below(seconds(10)));
      w.server.boot();
      yield* w.server.running();
      yield* sleep(seconds(90));
      for (const { confirmed } of work.promised.values()) promises += confirmed.size;
      found.push(...(yield* missing(work)).map((m) => `round ${round}: ${m}`));
      for (const { latest } of work.promised.values()) latest.clear();
      work.sharers = 0;
      for (const i of [0, 1]) begin(i);
    }
  });
  return {
    missing: found,
    promises,
    restored: w.metric('survivorsRestored'),
    refused: w.metric('survivorsRefused'),
    hash: w.cluster.engine.traceHash(),
  };
}

describe('clients that crash at any moment', () => {
  it('find everything again that fsync has confirmed, unless others have written the file since', () => {
    let promises = 0;
    let restored = 0;
    let refused = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const outcome = campaign(seed);
      expect(outcome.missing, `seed ${seed}`).toEqual([]);
      promises += outcome.promises;
      restored += outcome.restored;
      refused += outcome.refused;
    }
    expect(promises).toBeGreaterThan(20 * runs);
    expect(restored).toBeGreaterThan(20 * runs);
    expect(refused).toBeGreaterThan(0);
  });

  it('do the same twice', () => {
    expect(campaign(3).hash).toBe(campaign(3).hash);
  });
});
