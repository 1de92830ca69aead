/**
 * Everything at once: clients and the server crash, hosts are cut off, programs are killed. Bytes may be lost by that; but
 * every program ends, nothing is left at the server of what no client has, and in the end all see the same. (The server
 * writes through: what it lost with its own cache, a client might still have.) `npm test` runs a sample of seeds; with
 * BACKPLANE_FULL all 1,000.
 */
import { ms, type RandomStream, seconds, sleep, type Task, type Thread, us } from '@backplane/engine';
import { isKernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { failure, type TestHost, World } from './world.ts';

// Packages are written without the types of a host: this is all that the test wants of one.
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

const seeds = process.env['BACKPLANE_FULL'] === undefined ? 15 : 1000;

const paths = ['/a', '/b', '/c'];

function* session(host: TestHost, random: RandomStream): Task<void> {
  const write = random.chance(0.5);
  const f = yield* host.open(random.pick(paths), {
    read: true,
    write,
    create: write,
    truncate: write && random.chance(0.2),
  });
  try {
    const mode = random.chance(0.5) ? 'shared' : 'exclusive';
    if (random.chance(0.3)) yield* f.lock(mode, `${host.id}.${random.below(1e6)}`, 1);
    for (let n = random.below(4); n >= 0; n--) {
      const at = random.below(12_000);
      if (write && random.chance(0.6)) yield* f.write('x'.repeat(random.below(6000)), at);
      else yield* f.read(at, 5000);
      if (write && random.chance(0.2)) yield* f.object.sync();
      if (write && random.chance(0.1)) yield* f.object.truncate(random.below(9000));
      yield* sleep(random.below(ms(300)));
    }
  } finally {
    yield* f.close();
  }
}

function* program(host: TestHost, random: RandomStream, sessions: number): Task<void> {
  for (let n = 0; n < sessions; n++) {
    try {
      const what = random.below(10);
      if (what === 0) yield* host.unlink(random.pick(paths));
      else if (what === 1) yield* host.stat(random.pick(paths));
      else yield* session(host, random);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
    yield* sleep(random.below(seconds(2)));
  }
}

function* faults(w: World, random: RandomStream): Task<void> {
  for (let n = 0; n < 6; n++) {
    yield* sleep(random.below(seconds(5)));
    const host = random.pick([w.server, ...w.clients]);
    if (random.chance(0.5)) {
      host.crash();
      yield* sleep(random.below(seconds(8)));
      host.boot();
    } else {
      const other = host === w.server ? w[0] : w.server;
      w.net.cut(host.id, other.id);
      yield* sleep(random.below(seconds(20)));
      w.net.mend(host.id, other.id);
    }
  }
}

function* kills(threads: readonly Thread<void>[], random: RandomStream): Task<void> {
  for (const t of threads) {
    yield* sleep(random.below(seconds(6)));
    if (random.chance(0.6)) t.cancel();
  }
}

/** What the server still keeps, as far as others notice. */
function* left(w: World, path: string): Task<readonly string[]> {
  const found: string[] = [];
  const noticed = () => w.server.metric('consistActions') + w.server.metric('disables');
  const before = noticed();
  yield* w.server.put(path, 'by the server');
  if (noticed() !== before) found.push(`${path}: the server believes that a client has it open, or dirty`);
  const f = yield* w[0].open(path, { read: true });
  if ((yield* failure(f.lock('exclusive', 'last', 1))) !== undefined) found.push(`${path} is still locked`);
  yield* f.close();
  const remote = w[0].metric('bytesWrittenRemote');
  yield* w[0].put(path, 'cached');
  if (w[0].metric('bytesWrittenRemote') !== remote) found.push(`${path} is not cached again`);
  return found;
}

function run(seed: number): readonly string[] {
  const w = new World({ seed, clients: 3, options: { serverWrite: 'through' } });
  const random = w.engine.random('test');
  w.net.delayNs = () => us(200) + random.below(random.chance(0.1) ? ms(200) : ms(2));
  const wrong: string[] = [];
  w.drive(function* () {
    const hosts = [...w.clients, ...w.clients, w.server];
    const threads = hosts.map((h, i) => h.spawn(program(h, w.engine.random('program', String(i)), 12)));
    const killing = w.engine.root.spawn('kills', kills(threads, w.engine.random('kills')));
    yield* faults(w, random);
    yield* killing.join();
    // Programs of crashed hosts have ended; the others do, and what nobody waits for is settled.
    for (const t of threads) yield* t.join();
    yield* sleep(seconds(400));
    // A client that crashed tells the server with the first thing that it says.
    for (const c of w.clients) yield* c.stat('/');
    yield* sleep(seconds(1));
    for (const path of paths) {
      wrong.push(...(yield* left(w, path)));
      const contents = new Set<string>();
      for (const h of [...w.clients, w.server]) contents.add(yield* h.get(path));
      if (contents.size !== 1) wrong.push(`${path} is not the same everywhere`);
      yield* w[0].unlink(path);
    }
    yield* sleep(seconds(60));
    if (w.server.disk.nodes.size !== 1) wrong.push(`${w.server.disk.nodes.size - 1} files were never freed`);
    for (const c of w.clients) {
      if (c.end.watchers(w.server.id) !== 0) wrong.push(`host ${c.id} still watches the server`);
      for (const o of c.blocks.objects.values())
        if (o.dirtyBlocks > 0) wrong.push(`host ${c.id} has dirty blocks of a file that is gone`);
    }
  });
  return wrong;
}

describe('whatever fails', () => {
  it(`every program ends, nothing stays behind, and all see the same (${seeds} seeds)`, {
    timeout: 1_800_000,
  }, () => {
    for (let seed = 1; seed <= seeds; seed++) expect(run(seed), `seed ${seed}`).toEqual([]);
  });
});
