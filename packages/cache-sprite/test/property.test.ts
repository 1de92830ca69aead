/** Hundreds of interleavings: programs on three clients and on the server share files, and messages overtake one another. */
import { ms, type RandomStream, sleep, type Task, us } from '@backplane/engine';
import { idsIn, ModelFile, slotBytes, slotOf } from '@backplane/file-service/testing';
import type { OpenHow } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import type { SpriteCacheOptions } from '../src/index.ts';
import { type TestHost, World } from './world.ts';

const slots = 6;
const paths = ['/a', '/b'];

interface Run {
  readonly w: World;
  readonly files: ReadonlyMap<string, ModelFile>;
  readonly wrong: string[];
  ids: number;
  reads: number;
}

function* session(run: Run, host: TestHost, random: RandomStream): Task<void> {
  const { w } = run;
  const now = () => w.engine.nowNs;
  const path = random.pick(paths);
  const file = run.files.get(path) as ModelFile;
  const writes = random.chance(0.45);
  const truncate = writes && random.chance(0.15);
  const how: OpenHow = { read: !writes || random.chance(0.5), write: writes, truncate };
  const emptying = truncate ? file.beginEmptying(now()) : null;
  const f = yield* host.open(path, how);
  emptying?.ended(now());
  for (let n = random.below(5); n >= 0; n--) {
    const slot = random.below(slots);
    if (how.write === true && random.chance(0.6)) {
      const id = ++run.ids;
      const write = file.begin(slot, id, now());
      yield* f.object.write(slot * slotBytes, slotOf(id), { host: host.id, ticket: 0 });
      write.ended(now());
      if (random.chance(0.1)) yield* f.object.sync();
    } else if (how.read === true) {
      const startNs = now();
      const { bytes } = yield* f.object.read(slot * slotBytes, slotBytes, { host: host.id, ticket: 0 });
      const allowed = file.allowed(slot, startNs, now());
      run.reads++;
      for (const id of idsIn(bytes))
        if (!allowed.has(id))
          run.wrong.push(
            `${now() / 1e6} ms: host ${host.id} read ${id} in ${path} slot ${slot}, not one of ${[...allowed]}`,
          );
    }
    if (random.chance(0.4)) yield* sleep(random.below(ms(20)));
  }
  if (random.chance(0.1)) {
    const emptied = how.write === true ? file.beginEmptying(now()) : null;
    if (emptied !== null) yield* f.object.truncate(0);
    emptied?.ended(now());
  }
  yield* f.close();
}

function* program(run: Run, host: TestHost, random: RandomStream, sessions: number): Task<void> {
  for (let i = 0; i < sessions; i++) {
    yield* session(run, host, random);
    yield* sleep(random.below(random.chance(0.1) ? ms(6000) : ms(30)));
  }
}

function run(seed: number, options: SpriteCacheOptions, blocksMax?: number): Run {
  const w = new World({ seed, clients: 3, options, ...(blocksMax !== undefined && { blocksMax }) });
  const random = w.engine.random('test');
  const delays = w.engine.random('delays');
  // Most messages are quick; some wait behind others, and some were lost and sent again.
  w.net.delayNs = () =>
    delays.chance(0.05)
      ? ms(100) + delays.below(ms(300))
      : us(200) + delays.below(delays.chance(0.3) ? ms(30) : ms(2));
  const r: Run = {
    w,
    files: new Map(paths.map((p) => [p, new ModelFile(slots)])),
    wrong: [],
    ids: 0,
    reads: 0,
  };
  w.drive(function* () {
    for (const p of paths) yield* w[0].put(p, '');
    const threads = [w[0], w[0], w[1], w[1], w[2], w[2], w.server].map((host) =>
      host.spawn(program(r, host, w.engine.random('program', String(random.below(1e9))), 8)),
    );
    for (const t of threads) yield* t.join();
  });
  return r;
}

describe('no reader sees an old byte', () => {
  const cases: readonly [string, SpriteCacheOptions, number | undefined, number][] = [
    ['with delayed writes', {}, undefined, 100],
    ['with writes as soon as possible', { policy: 'asap' }, undefined, 40],
    ['with write-through', { policy: 'write-through' }, undefined, 20],
    ['with write-back on close', { policy: 'write-back-on-close' }, undefined, 20],
    ['with a cache of three blocks', { delaySeconds: 1 }, 3, 40],
  ];
  for (const [name, options, blocksMax, seeds] of cases)
    it(name, () => {
      let reads = 0;
      let caught = 0;
      for (let seed = 1; seed <= seeds; seed++) {
        const r = run(seed, options, blocksMax);
        expect(r.wrong, `seed ${seed}`).toEqual([]);
        reads += r.reads;
        caught += r.w.server.metric('refusals');
      }
      expect(reads).toBeGreaterThan(10 * seeds);
      // Callbacks did overtake the replies to opens.
      expect(caught).toBeGreaterThan(0);
    });
});
