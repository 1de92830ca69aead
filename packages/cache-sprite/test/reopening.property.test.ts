/**
 * Nothing that was promised is lost. Each file has one client that writes it, and readers everywhere; the server, whose
 * disk has what it was sent, crashes and reboots at any moment. In the end every file holds what was written last; and the
 * writer's own host never reads anything else on the way.
 */
import { ms, type RandomStream, seconds, sleep, type Task, us } from '@backplane/engine';
import { idsIn, ModelFile, slotBytes, slotOf } from '@backplane/file-service/testing';
import { isKernelError, type OpenHow } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { type TestHost, World } from './world.ts';

const slots = 4;

interface Owned {
  readonly owner: TestHost;
  readonly path: string;
  readonly model: ModelFile;
}
interface Run {
  readonly w: World;
  readonly files: readonly Owned[];
  readonly wrong: string[];
  ids: number;
}

function* use(run: Run, file: Owned, host: TestHost, random: RandomStream): Task<void> {
  const { w, wrong } = run;
  const now = () => w.engine.nowNs;
  const owns = host === file.owner;
  const how: OpenHow = owns ? { read: true, write: true } : { read: true };
  const f = yield* host.open(file.path, how);
  for (let n = random.below(5); n >= 0; n--) {
    const slot = random.below(slots);
    if (owns && random.chance(0.6)) {
      const id = ++run.ids;
      const write = file.model.begin(slot, id, now());
      yield* f.object.write(slot * slotBytes, slotOf(id), { host: host.id, ticket: 0 });
      write.ended(now());
      if (random.chance(0.2)) yield* f.object.sync();
    } else {
      const startNs = now();
      const { bytes } = yield* f.object.read(slot * slotBytes, slotBytes, { host: host.id, ticket: 0 });
      const allowed = file.model.allowed(slot, startNs, now());
      for (const id of owns ? idsIn(bytes) : [])
        if (!allowed.has(id))
          wrong.push(`${now() / 1e6} ms: ${file.path} slot ${slot}: ${id}, not ${[...allowed]}`);
    }
    yield* sleep(random.below(ms(500)));
  }
  yield* f.close();
}

function* program(run: Run, host: TestHost, random: RandomStream): Task<void> {
  for (let n = 0; n < 6; n++) {
    const file = random.pick(run.files);
    try {
      yield* use(run, file, host, random);
    } catch (e) {
      // A reader of old copies may find that they cannot be reopened; a writer must not.
      if (!isKernelError(e, 'stale') || file.owner === host) throw e;
    }
    yield* sleep(random.below(seconds(2)));
  }
}

function* crashes(w: World, random: RandomStream): Task<void> {
  for (let n = 0; n < 2; n++) {
    yield* sleep(random.below(seconds(8)));
    w.server.crash();
    yield* sleep(random.below(random.chance(0.5) ? ms(100) : seconds(10)));
    w.server.boot();
  }
}

function run(seed: number): Run {
  const w = new World({ seed, clients: 3, options: { serverWrite: 'through' } });
  const random = w.engine.random('test');
  const delays = w.engine.random('delays');
  w.net.delayNs = () =>
    delays.chance(0.05) ? ms(100) + delays.below(ms(300)) : us(200) + delays.below(ms(2));
  const files = w.clients.map((owner, i) => ({ owner, path: `/f${i}`, model: new ModelFile(slots) }));
  const r: Run = { w, files, wrong: [], ids: 0 };
  w.drive(function* () {
    for (const { owner, path } of files) yield* owner.put(path, '');
    const threads = [...w.clients, ...w.clients].map((host, i) =>
      host.spawn(program(r, host, w.engine.random('program', String(i)))),
    );
    yield* crashes(w, random);
    for (const t of threads) yield* t.join();
    // Everything is settled: whoever looks now sees the last writes.
    yield* sleep(seconds(100));
    for (const { path, model } of files)
      for (const host of w.clients) {
        const f = yield* host.open(path, { read: true });
        for (let slot = 0; slot < slots; slot++) {
          const { bytes } = yield* f.object.read(slot * slotBytes, slotBytes, { host: host.id, ticket: 0 });
          const allowed = model.allowed(slot, w.engine.nowNs, w.engine.nowNs);
          for (const id of idsIn(bytes))
            if (!allowed.has(id))
              r.wrong.push(`in the end host ${host.id}: ${path} slot ${slot}: ${id}, not ${[...allowed]}`);
        }
        yield* f.close();
      }
  });
  return r;
}

describe('over crashes of the server', () => {
  it('nothing is lost that its writer has not lost, and no writer’s file goes stale', () => {
    let reopened = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const r = run(seed);
      expect(r.wrong, `seed ${seed}`).toEqual([]);
      reopened += r.w.clients.reduce((n, c) => n + c.metric('handlesReopened'), 0);
    }
    expect(reopened).toBeGreaterThan(40);
  });
});
