/** Several hosts read and write one file, mapped and unmapped, and see one sequence of stores to each word. */
import { type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { lossRule } from '@backplane/hw-ethernet';
import { microvax2, sun3x75, zeroCost } from '@backplane/hw-machines';
import type { AddressSpace, IpcProcess, PagedObject } from '@backplane/slots';
import type { Instance } from '@backplane/uio';
import { uio } from '@backplane/uio-v';
import { vFileServer } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { Register } from './memory-register.ts';
import { caching, openCachedOf, openPages, readWrite } from './memory-world.ts';
import { openFileOf } from './uio-files.ts';
import { World } from './world.ts';

const hosts = ['mace', 'thyme', 'sage'];
const fileBytes = 40 * 1024;
const courses = process.env['BACKPLANE_FULL'] === undefined ? 3 : 100;

interface Course {
  readonly seed: number;
  readonly loss: number;
  readonly holdMilliseconds: number;
  /** Of the second host; few enough that pages come and go. */
  readonly frames: number;
  readonly serverThreads: number;
  /** The file server crashes so often, and comes back. */
  readonly crashes?: number;
}

/** One word of the file, by each of the ways there are. */
interface Ways {
  readonly space: AddressSpace;
  readonly object: PagedObject;
  readonly cached: Instance;
  readonly plain: Instance;
}
const wayNames = ['mapped', 'object', 'cached', 'plain'] as const;

const wordOf = (bytes: Uint8Array): number =>
  bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
function bytesOf(word: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, word);
  return bytes;
}
const block = (at: number) => ({ block: Math.floor(at / 1024), first: at % 1024 });

function* readWord(w: Ways, way: (typeof wayNames)[number], at: number): Task<number> {
  switch (way) {
    case 'mapped':
      return wordOf(yield* w.space.read(at, 4));
    case 'object':
      return wordOf(yield* w.object.read(at, 4));
    case 'cached':
      return wordOf((yield* w.cached.read(block(at), 4)) ?? new Uint8Array(0));
    default:
      return wordOf((yield* w.plain.read(block(at), 4)) ?? new Uint8Array(0));
  }
}

function* writeWord(w: Ways, way: (typeof wayNames)[number], at: number, word: number): Task<void> {
  const bytes = bytesOf(word);
  if (way === 'mapped') yield* w.space.write(at, bytes);
  else if (way === 'object') yield* w.object.write(at, bytes);
  else if (way === 'cached') yield* w.cached.write(block(at), bytes);
  else yield* w.plain.write(block(at), bytes);
}

/** Returns what was wrong. */
function course({
  seed,
  loss,
  holdMilliseconds,
  frames,
  serverThreads,
  crashes = 0,
}: Course): readonly string[] {
  const small = { ...zeroCost, memoryBytes: frames * zeroCost.pageBytes };
  const kernel = caching({}, vFileServer()).with({
    fileCache: uio({ threads: serverThreads, writes: 'through', probeSeconds: 5 }),
  });
  const server = crashes > 0 ? kernel : kernel.with({ storage: memoryStorage() });
  const w = new World({
    seed,
    workstations: hosts,
    types: [microvax2, small, sun3x75],
    kernel: caching({ holdMilliseconds, writeBackSeconds: 3 }),
    server,
  });
  const { engine, medium } = w.cluster;
  if (loss > 0) medium.addRule(lossRule(engine, engine.random('test.loss'), { probability: loss }));
  const words = Array.from({ length: 10 }, (_, i) => 4 * Math.floor((i * fileBytes) / 40) + (i % 3) * 1024);
  const registers = new Map(words.map((at) => [at, new Register()]));
  const wrong: string[] = [];
  let last = 0;
  function* live(host: string, ways: Ways, random: RandomStream): Task<void> {
    for (let i = 0; i < 30; i++) {
      const at = random.pick(words);
      const way = random.pick(wayNames);
      const register = registers.get(at) ?? new Register();
      const startNs = engine.nowNs;
      if (random.chance(0.5)) {
        const store = register.begin(++last, startNs);
        yield* writeWord(ways, way, at, store.value);
        register.end(store, engine.nowNs);
      } else {
        const value = yield* readWord(ways, way, at);
        const why = register.wrong(value, startNs, engine.nowNs);
        if (why !== null) wrong.push(`${host} ${way} at ${at}, ${startNs / 1e6} ms: ${why}`);
      }
      yield* sleep(random.below(random.chance(0.1) ? 4_000_000_000 : 20_000_000));
    }
  }
  function* begin(host: string, self: IpcProcess): Task<void> {
    const { pageBytes } = w.machine(host).type;
    const object = yield* openPages(w, host, 'f', readWrite, host === 'sage');
    const space = w.machine(host).board('vm').space('test');
    const mapping = { of: object, firstPage: 0, private: false };
    space.map(0, (64 * 1024) / pageBytes, { writable: true, object: mapping });
    const cached = yield* openCachedOf(w, host, self, 'f');
    const plain = yield* openFileOf(w, host, self, 'f', { read: true, write: true });
    const ways = { space, object, cached, plain };
    const random = engine.random('test.course', host);
    const { scope } = w.machine(host);
    const threads = [0, 1].map((n) => scope.spawn(`life ${n}`, live(host, ways, random)));
    for (const t of threads) yield* t.join();
  }
  w.run(function* (): Task<void> {
    yield* w.on('mace', (self) => openFileOf(w, 'mace', self, 'f', { write: true, create: true }));
    const living = crashes > 0 ? hosts : [...hosts, 'allspice'];
    const threads = living.map((host) =>
      w.machine(host).scope.spawn(
        'begin',
        w.on(host, (self) => begin(host, self)),
      ),
    );
    const random = engine.random('test.crashes');
    for (let i = 0; i < crashes; i++) {
      yield* sleep(seconds(1) + random.below(seconds(1)));
      w.machine('allspice').crash();
      yield* sleep(random.below(seconds(2)));
      w.machine('allspice').boot();
      yield* w.machine('allspice').running();
      yield* sleep(seconds(12));
    }
    for (const t of threads) yield* t.join();
  });
  return wrong;
}

describe('one file at several hosts', () => {
  for (const [name, o] of Object.entries({
    'on a quiet wire': { loss: 0, holdMilliseconds: 5, frames: 400, serverThreads: 8 },
    'with 5 % loss': { loss: 0.05, holdMilliseconds: 5, frames: 400, serverThreads: 8 },
    'with 5 % loss, few frames, and pages that go at once': {
      loss: 0.05,
      holdMilliseconds: 0,
      frames: 5,
      serverThreads: 1,
    },
    'by a server that crashes twice': {
      loss: 0,
      holdMilliseconds: 5,
      frames: 400,
      serverThreads: 8,
      crashes: 2,
    },
  }))
    it(`is read as it was last written, mapped and unmapped, ${name}`, () => {
      for (let seed = 1; seed <= courses; seed++) expect(course({ seed, ...o }), `seed ${seed}`).toEqual([]);
    });
});
