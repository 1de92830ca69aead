/**
 * Programs on three clients and on the server share files over a network that loses, repeats, delays and reorders frames;
 * every byte that is read is checked against a model that knows no caches. And with a server that crashes, what was promised
 * is there in the end.
 */
import { ms, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { idsIn, ModelFile, slotBytes, slotOf } from '@backplane/file-service/testing';
import { duplicationRule, lossRule, reorderRule } from '@backplane/hw-ethernet';
import type { Calls, OpenHow } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { put, World } from './world.ts';

const slots = 6;
const paths = ['/a', '/b'];

interface Run {
  readonly w: World;
  readonly files: ReadonlyMap<string, ModelFile>;
  readonly wrong: string[];
  ids: number;
  reads: number;
}

const fileOf = (run: Run, path: string): ModelFile => run.files.get(path) ?? new ModelFile(0);

function* read(run: Run, sys: Calls, fd: number, path: string, slot: number): Task<void> {
  const startNs = run.w.nowNs;
  const content = yield* sys.readAt(fd, slot * slotBytes, slotBytes);
  const allowed = fileOf(run, path).allowed(slot, startNs, run.w.nowNs);
  run.reads++;
  for (const id of idsIn(content))
    if (!allowed.has(id))
      run.wrong.push(
        `${run.w.nowNs / 1e6} ms: ${sys.machine} read ${id} in ${path}/${slot}, not ${[...allowed]}`,
      );
}

function* write(run: Run, sys: Calls, fd: number, path: string, slot: number): Task<void> {
  const id = ++run.ids;
  const written = fileOf(run, path).begin(slot, id, run.w.nowNs);
  yield* sys.writeAt(fd, slot * slotBytes, slotOf(id));
  written.ended(run.w.nowNs);
}

function* session(run: Run, sys: Calls, random: RandomStream): Task<void> {
  const path = random.pick(paths);
  const writes = random.chance(0.45);
  const truncate = writes && random.chance(0.15);
  const how: OpenHow = { read: true, write: writes, truncate };
  const emptied = truncate ? fileOf(run, path).beginEmptying(run.w.nowNs) : null;
  const fd = yield* sys.open(path, how);
  emptied?.ended(run.w.nowNs);
  for (let n = random.below(5); n >= 0; n--) {
    const slot = random.below(slots);
    if (writes && random.chance(0.6)) yield* write(run, sys, fd, path, slot);
    else yield* read(run, sys, fd, path, slot);
    if (random.chance(0.4)) yield* sys.sleep(random.below(ms(20)));
  }
  yield* sys.close(fd);
}

function sharing(seed: number): Run {
  const w = new World({ seed, clients: 3, cache: { policy: seed % 3 === 0 ? 'asap' : 'delay' } });
  const { engine, medium } = w.cluster;
  const run: Run = {
    w,
    files: new Map(paths.map((p) => [p, new ModelFile(slots)])),
    wrong: [],
    ids: 0,
    reads: 0,
  };
  w.drive(function* () {
    yield* w.on(w.server, function* (sys) {
      for (const p of paths) yield* put(sys, p, '');
    });
    medium.addRule(lossRule(engine, engine.random('loss'), { probability: 0.02 }));
    medium.addRule(duplicationRule(engine, engine.random('duplicates'), { probability: 0.02 }));
    medium.addRule(reorderRule(engine, engine.random('reorder'), { probability: 0.1, delayNsMax: ms(30) }));
    const running = [...w.clients, ...w.clients, w.server].map((m, i) =>
      w.start(m, function* (sys) {
        const random = engine.random('program', String(i));
        for (let n = 0; n < 6; n++) {
          yield* session(run, sys, random);
          yield* sys.sleep(random.below(random.chance(0.1) ? ms(6000) : ms(30)));
        }
      }),
    );
    for (const r of running) yield* r.join();
  });
  return run;
}

/** One writer for each file; the server crashes twice. Its disk has what it was sent. */
function crashing(seed: number): Run {
  const w = new World({ seed, clients: 3, cache: { serverWrite: 'through' } });
  const { engine } = w.cluster;
  const random = engine.random('test');
  const owned = w.clients.map((_, i) => `/f${i}`);
  const run: Run = {
    w,
    files: new Map(owned.map((p) => [p, new ModelFile(slots)])),
    wrong: [],
    ids: 0,
    reads: 0,
  };
  w.drive(function* () {
    yield* w.on(w.server, function* (sys) {
      for (const p of owned) yield* put(sys, p, '');
    });
    const running = w.clients.map((m, i) =>
      w.start(m, function* (sys) {
        const own = engine.random('program', String(i));
        const path = `/f${i}`;
        for (let n = 0; n < 8; n++) {
          const fd = yield* sys.open(path, { read: true, write: true });
          for (let k = own.below(5); k >= 0; k--) {
            if (own.chance(0.6)) yield* write(run, sys, fd, path, own.below(slots));
            else yield* read(run, sys, fd, path, own.below(slots));
            if (own.chance(0.2)) yield* sys.sync(fd);
            yield* sys.sleep(own.below(ms(500)));
          }
          yield* sys.close(fd);
          yield* sys.sleep(own.below(seconds(3)));
        }
      }),
    );
    for (let n = 0; n < 2; n++) {
      yield* sleep(random.below(seconds(8)));
      yield* w.reboot(w.server, random.below(10) / (random.chance(0.5) ? 100 : 1));
    }
    for (const r of running) yield* r.join();
    yield* sleep(seconds(100));
    for (const m of w.clients)
      yield* w.on(m, function* (sys) {
        for (const path of owned) {
          const fd = yield* sys.open(path, { read: true });
          for (let slot = 0; slot < slots; slot++) yield* read(run, sys, fd, path, slot);
          yield* sys.close(fd);
        }
      });
  });
  return run;
}

describe('whatever the network does', () => {
  it('no reader sees an old byte', () => {
    let reads = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const run = sharing(seed);
      expect(run.wrong, `seed ${seed}`).toEqual([]);
      reads += run.reads;
    }
    expect(reads).toBeGreaterThan(600);
  });
});

describe('whenever the server crashes', () => {
  it('nothing is lost that its writer has not lost', () => {
    let reopened = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const run = crashing(seed);
      expect(run.wrong, `seed ${seed}`).toEqual([]);
      expect(run.w.metric('handlesLost'), `seed ${seed}`).toBe(0);
      reopened += run.w.metric('handlesReopened');
    }
    expect(reopened).toBeGreaterThan(10);
  });
});
