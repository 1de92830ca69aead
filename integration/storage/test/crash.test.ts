/** Power failures of a whole machine: the drive finishes the sector under its head, the repair mends what it finds. */
import { sleep, type Task } from '@backplane/engine';
import type { FileId, Storage } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { Server, type ServerOptions } from './server.ts';

const bytesOf = (mark: number): Uint8Array =>
  Uint8Array.from({ length: 1 + ((mark * 7919) % 40_000) }, (_, i) => (mark + i * 13) & 0xff);

/** Makes, replaces and removes files for ever; `synced` holds what a sync has confirmed: name to mark. */
function* churn(s: Storage, random: { below(n: number): number }, synced: Map<string, number>): Task<void> {
  const now = new Map<string, number>();
  const free = function* (f: FileId, linksLeft: number): Task<void> {
    if (linksLeft === 0) yield* s.reclaim(f);
  };
  for (let mark = 1; ; mark++) {
    const name = `f${random.below(12)}`;
    const old = yield* s.lookup(s.root, name);
    synced.delete(name);
    if (old !== undefined && random.below(3) === 0) {
      const { file, linksLeft } = yield* s.unlink(s.root, name, { directory: false });
      yield* free(file, linksLeft);
      now.delete(name);
    } else {
      const made = yield* s.create(s.root, `new ${mark}`, { type: 'file', mode: 0o600, uid: 0, gid: 0 });
      yield* s.write(made, 0, bytesOf(mark), random.below(2) === 0 ? 'soon' : 'delayed');
      const { replaced } = yield* s.rename(s.root, `new ${mark}`, s.root, name);
      if (replaced !== undefined) yield* free(replaced.file, replaced.linksLeft);
      now.set(name, mark);
      if (random.below(4) === 0) {
        yield* s.sync(made);
        synced.set(name, mark);
      }
    }
    if (random.below(12) === 0) {
      yield* s.sync();
      for (const [n, m] of now) synced.set(n, m);
    }
    yield* sleep(random.below(200_000_000));
  }
}

function crashes(seeds: number, o: ServerOptions): number {
  let held = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const server = new Server({ ...o, seed });
    const random = server.cluster.engine.random('crash');
    const synced = new Map<string, number>();
    server.machine.scope.spawn('churn', churn(server.storage, random, synced));
    server.drive('wait', sleep_(random.below(20_000_000_000)));
    server.crash();
    expect(server.check(), `seed ${seed}`).toEqual([]);
    server.run(
      (function* (): Task<void> {
        const s = server.storage;
        for (const [name, mark] of synced) {
          const f = yield* s.lookup(s.root, name);
          const seen = f && (yield* s.read(f, 0, 100_000));
          const expected = bytesOf(mark);
          if (seen?.length !== expected.length || seen.some((b, i) => b !== expected[i]))
            throw new Error(`seed ${seed}: ${name} is not as it was synced`);
          held++;
        }
      })(),
    );
    server.reboot();
    expect(server.check(), `seed ${seed}`).toEqual([]);
  }
  return held;
}

function* sleep_(ns: number): Task<void> {
  yield* sleep(ns);
}

describe('a machine that loses its power', () => {
  it('has everything that was synced when it is back, on an Eagle', () => {
    expect(crashes(runs(8), { drive: { profile: 'eagle', sectors: 16_384 } })).toBeGreaterThan(10);
  });

  it('has it with metadata written through, on a Wren IV with little memory', () => {
    const held = crashes(runs(6), {
      drive: { profile: 'wren-iv', sectors: 16_384 },
      ofs: { metadata: 'synchronous' },
      cacheBlocks: 30,
    });
    expect(held).toBeGreaterThan(6);
  });
});
