/**
 * A stream moves while a host crashes: the source, the target, the server, or one that shares it, at any moment of the
 * move, or none; over a network that may lose and repeat frames. Whatever comes of the move, what is left of the stream reads and writes on at
 * the right place and sees the right bytes, and in the end nobody has anything open. `npm test` runs a sample; with
 * BACKPLANE_FULL all 500 seeds are run for each file cache.
 */
import type { ClusterMachine } from '@backplane/chassis';
import { ms, seconds, sleep, type Task, us } from '@backplane/engine';
import type { Stream } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { caches } from './caches.ts';
import { bytes, failure, text, World } from './world.ts';

const seeds = process.env['BACKPLANE_FULL'] === undefined ? 30 : 500;
const recordBytes = 6;
const record = (n: number): string => `${n}`.padStart(recordBytes - 1, '0').concat(';');
const records = (n: number): string => Array.from({ length: n }, (_, i) => record(i)).join('');

interface Use {
  readonly machine: ClusterMachine;
  readonly stream: Stream;
}

interface Result {
  readonly wrong: readonly string[];
  readonly moved: boolean;
  readonly crashed: string;
}

/** It is down for a while, whatever others do meanwhile: some may wait for it. */
function crash(world: World, victim: ClusterMachine, downSeconds: number): void {
  victim.crash();
  world.cluster.engine.root.spawn(
    'repair',
    (function* (): Task<void> {
      yield* sleep(seconds(downSeconds));
      victim.boot();
    })(),
  );
}

function scenario(seed: number, world: World, sharesOffsets: boolean): Result {
  const random = world.cluster.engine.random('scenario');
  const clients = [world.client(0), world.client(1), world.client(2)] as const;
  const [a, , c] = clients;
  const writes = random.chance(0.5);
  const shared = sharesOffsets && random.chance(0.6);
  const hops = random.pick([0, 0, 1, 2]);
  const route = [a];
  while (route.length < hops + 2) route.push(random.pick(clients.filter((m) => m !== route.at(-1))));
  const source = route.at(-2) ?? a;
  const target = route.at(-1) ?? a;
  const victim = random.pick([source, target, world.server, null, ...(shared ? [a] : [])]);
  const nameless = random.chance(0.4) && victim !== world.server && sharesOffsets;
  const wrong: string[] = [];
  const expected = (what: string, seen: string, right: string): void => {
    if (seen !== right) wrong.push(`seed ${seed}: ${what}: "${seen}", not "${right}"`);
  };
  let moved = false;
  let done = 0;
  /** One record further, by somebody who has the stream. */
  function* step({ machine, stream }: Use): Task<void> {
    const n = done++;
    if (!writes) {
      expected(
        `record ${n} at ${machine.name}`,
        text(yield* world.read(machine, stream, recordBytes)),
        record(n),
      );
      return;
    }
    yield* world.write(machine, stream, bytes(record(n)));
    const content = yield* world.on(machine, (s) => s.readAt(stream, 0, 10_000));
    expected(`after writing at ${machine.name}`, text(content), records(done));
  }

  world.drive(function* () {
    yield* world.put(c, '/f', bytes(writes ? '' : records(40)));
    yield* world.put(world.server, '/other', bytes('x'));
    if (random.chance(0.5)) world.disturb();
    const parent = yield* world.open(a, '/f', { read: true, write: writes });
    const file = world.fileOf(parent);
    if (shared) a.board('streams').share(parent);
    let traveller: Use = { machine: a, stream: parent };
    for (let n = random.below(3); n >= 0; n--) yield* step(traveller);
    if (nameless) yield* world.unlink(c, '/f');
    for (const next of route.slice(1, -1)) {
      traveller = { machine: next, stream: yield* world.move(traveller.stream, traveller.machine, next) };
      yield* step(random.pick(shared ? [traveller, { machine: a, stream: parent }] : [traveller]));
    }

    const streams = source.board('streams');
    const movable = streams.describe(traveller.stream);
    const adopting = world.start(target, (s) => s.adopt(movable));
    yield* sleep(random.below(us(random.pick([400, 1500, 4000, 12_000]))));
    if (victim !== null) crash(world, victim, random.below(40));
    let here: Stream | null = null;
    const outcome = yield* failure(
      (function* (): Task<void> {
        here = yield* adopting();
      })(),
    );
    moved = outcome === undefined;
    while (victim !== null && victim.state !== 'running') yield* sleep(ms(100));

    const references: Use[] = [];
    if (shared && victim !== a) references.push({ machine: a, stream: parent });
    if (here !== null && victim !== target) references.push({ machine: target, stream: here });
    if (!moved && victim !== source && streams.withdraw(movable)) references.push(traveller);
    if (victim === null && !moved) wrong.push(`seed ${seed}: the move failed: ${outcome}`);
    for (let n = 6; n > 0 && references.length > 0; n--) yield* step(random.pick(references));
    for (const { machine, stream } of references) yield* world.close(machine, stream);

    // Every host is heard by the server, which so learns who has died.
    yield* sleep(seconds(200));
    for (const machine of clients) yield* world.get(machine, '/other');
    yield* sleep(seconds(200));
    if (!nameless) {
      const content = text(yield* world.get(c, '/f'));
      // What was written at a source that died may have died with it.
      if (writes && victim !== source) expected('in the end', content, records(done));
      yield* world.unlink(c, '/f');
    }
    yield* sleep(seconds(1));
    if (yield* world.isStored(file)) wrong.push(`seed ${seed}: the file is still open somewhere`);
  });
  // Of the one that crashed, what its earlier life had open is counted still.
  for (const machine of [...clients, world.server])
    for (const name of ['streams.open', 'streams.shadows']) {
      const count = machine === victim ? 0 : (machine.metrics().toRecord()[name] ?? 0);
      if (count !== 0) wrong.push(`seed ${seed}: ${name} of ${machine.name} is ${count}`);
    }
  const role =
    victim === null
      ? 'nobody'
      : victim === world.server
        ? 'server'
        : victim === source
          ? 'source'
          : 'another';
  return { wrong, moved, crashed: role };
}

describe.each(caches)('with fileCache=%s', (_name, cache, sharesOffsets) => {
  it(`${seeds} moves through crashes leave the right bytes and nothing open`, { timeout: 900_000 }, () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= seeds; seed++) {
      const { wrong, moved, crashed } = scenario(seed, new World(cache(), { seed }), sharesOffsets);
      expect(wrong).toEqual([]);
      seen.add(`${crashed} ${moved}`);
    }
    // The moments are spread over the whole move: crashes have come too early for it, and too late.
    for (const host of ['server', 'source', 'another']) expect(seen).toContain(`${host} true`);
    expect([...seen].filter((s) => s.endsWith('false')).length).toBeGreaterThan(0);
  });
});
