/**
 * Orderly halts of a file server while its clients write, read what others have just written, and rename and remove files:
 * the server halts in the middle of requests, boots, and is found again. No client ever crashes, so everything that a
 * program was told is there in the end, whatever the protocol; and no operation was done twice. `npm test` runs two seeds
 * for each file cache; with BACKPLANE_FULL it is 100.
 */
import { nfsCache } from '@backplane/cache-nfs';
import { noCache } from '@backplane/cache-none';
import { spriteCache } from '@backplane/cache-sprite';
import { ms, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { partitionRule } from '@backplane/hw-ethernet';
import type { Board, Calls } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { bytes, failure, get, put, World } from './world.ts';

const caches: readonly (readonly [string, () => Board<'fileCache'>])[] = [
  ['sprite', () => spriteCache()],
  ['sprite that writes back at once', () => spriteCache({ policy: 'asap' })],
  ['sprite without client caching', () => spriteCache({ clientCaching: false })],
  ['nfs', () => nfsCache()],
  ['none', () => noCache()],
];

/** What a program writes the nth time. */
const line = (who: string, n: number): string => `${who} ${n} `.padEnd(100 + ((n * 379) % 3000), '.');

/** Writes to a log that is open all the time, and replaces a file again and again. Notes what it was told is done. */
function* writer(
  sys: Calls,
  who: string,
  random: RandomStream,
  stopped: () => boolean,
  told: Map<string, string>,
): Task<void> {
  const log = yield* sys.open(`/log-${who}`, { write: true, create: true });
  for (let n = 1; !stopped(); n++) {
    yield* sys.write(log, bytes(line(who, n)));
    told.set(`/log-${who}`, (told.get(`/log-${who}`) ?? '') + line(who, n));
    if (random.below(4) === 0) yield* sys.sync(log);
    yield* put(sys, `/new-${who}`, line(who, n).repeat(1 + random.below(6)));
    yield* sys.rename(`/new-${who}`, `/file-${who}`);
    if (random.below(3) === 0) {
      yield* sys.unlink(`/file-${who}`);
      yield* sys.mkdir(`/file-${who}`, 0o755);
      yield* sys.rmdir(`/file-${who}`);
    }
    yield* sys.sleep(random.below(ms(400)));
  }
  yield* sys.close(log);
}

/** Reads the logs of others: each as far as it goes, in one piece. */
function* reader(
  sys: Calls,
  names: readonly string[],
  random: RandomStream,
  stopped: () => boolean,
): Task<void> {
  while (!stopped()) {
    const name = names[random.below(names.length)] ?? '';
    if ((yield* failure(sys.stat(`/log-${name}`))) === undefined) {
      const seen = yield* get(sys, `/log-${name}`);
      if (!seen.startsWith(`${name} 1 `.slice(0, seen.length)))
        throw new Error(`${name}: ${seen.slice(0, 20)}`);
    }
    yield* sys.sleep(random.below(ms(400)));
  }
}

const runs = process.env['BACKPLANE_FULL'] === undefined ? 2 : 100;

interface Outcome {
  readonly missing: readonly string[];
  readonly longestHaltNs: number;
  readonly repairs: number;
}

/** Three clients at work while the server halts and boots three times. */
function halts(seed: number, fileCache: Board<'fileCache'>): Outcome {
  const w = new World({ seed, clients: 4, fileCache, drive: { metadata: 'synchronous' }, costs: true });
  const random = w.cluster.engine.random('halts');
  return w.drive(function* () {
    const told = new Map<string, string>();
    let over = false;
    const names = ['a', 'b', 'c'];
    const programs = names.flatMap((who, i) => [
      w.start(w.client(i), (sys) => writer(sys, who, random, () => over, told)),
      w.start(w.client(i), (sys) => reader(sys, names, random, () => over)),
    ]);
    let longestHaltNs = 0;
    for (let n = 0; n < 3; n++) {
      // Programs of the server's own end with it.
      w.start(w.server, (sys) => writer(sys, `server${n}`, random, () => over, new Map()));
      yield* sleep(seconds(1) + random.below(seconds(1)));
      const startNs = w.nowNs;
      yield* w.server.halt();
      longestHaltNs = Math.max(longestHaltNs, w.nowNs - startNs);
      yield* sleep(random.below(seconds(20)));
      w.server.boot();
      yield* w.server.running();
    }
    yield* sleep(seconds(5));
    over = true;
    const statuses: number[] = [];
    for (const p of programs) statuses.push(yield* p.join());
    expect(statuses, `seed ${seed}`).toEqual(statuses.map(() => 0));
    const missing: string[] = [];
    for (const [name, content] of told)
      if ((yield* w.on(w.client(3), (sys) => get(sys, name))) !== content) missing.push(name);
    return {
      missing,
      longestHaltNs,
      repairs: w.cluster.metrics()['storage.ofs.repairs'] ?? -1,
    };
  });
}

describe.each(caches)('a server that halts under load, with %s', (_, fileCache) => {
  it('boots again with every byte that was promised', { timeout: 600_000 }, () => {
    for (let seed = 1; seed <= runs; seed++) {
      const { missing, repairs, longestHaltNs } = halts(seed, fileCache());
      expect(missing, `seed ${seed}`).toEqual([]);
      expect(repairs, `seed ${seed}`).toBe(0);
      expect(longestHaltNs, `seed ${seed}`).toBeLessThan(seconds(10));
    }
  });
});

describe('a halt of a server', () => {
  it('does not wait for a client that it has called back and that cannot answer; what that client has is kept', () => {
    const w = new World({ fileCache: spriteCache(), drive: { metadata: 'synchronous' } });
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'dirty in the cache of its writer'));
      const mend = w.cluster.medium.addRule(partitionRule(w.cluster.engine, [['client0'], ['allspice']]));
      w.start(w.client(1), function* (sys) {
        yield* get(sys, '/f');
      });
      yield* sleep(seconds(1));
      const startNs = w.nowNs;
      yield* w.server.halt();
      const halted = w.nowNs - startNs;
      mend();
      w.server.boot();
      yield* sleep(seconds(60));
      return [halted <= seconds(5) + ms(200), yield* w.on(w.client(1), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual([true, 'dirty in the cache of its writer']);
  });
});
