/** The same random operations on the storage on a disk and on the one in memory: every answer must be the same. */
import type { RandomStream, Task } from '@backplane/engine';
import { type FileId, isKernelError, type NewFile, type Storage } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { Server, type ServerOptions } from './server.ts';

/** One object as both know it: on the disk, in memory. */
interface Both {
  readonly disk: FileId;
  readonly memory: FileId;
}

const names = ['a', 'b', 'c', 'dd', 'Ü', 'long-name-'.repeat(20), '.', '..', 'x/y', '', 'n'.repeat(256)];
const types: NewFile['type'][] = [
  'file',
  'file',
  'file',
  'directory',
  'directory',
  'symlink',
  'namedPipe',
  'device',
];

function bytesOf(random: RandomStream): Uint8Array {
  const length = 1 + random.below(random.chance(0.2) ? 30_000 : 3000);
  const mark = random.below(256);
  return Uint8Array.from({ length }, (_, i) => (mark + i * 13) & 0xff);
}

class Pair {
  readonly server: Server;
  readonly log: string[] = [];
  readonly #random: RandomStream;
  #known: Both[];
  #open: Both[] = [];

  constructor(server: Server) {
    this.server = server;
    this.#random = server.cluster.engine.random('operations');
    this.#known = [{ disk: server.storage.root, memory: server.model.root }];
  }

  *step(): Task<void> {
    const r = this.#random;
    const at = r.pick(this.#known);
    const other = r.pick(this.#known);
    const name = r.pick(names);
    switch (r.below(14)) {
      case 0:
      case 1:
      case 2: {
        const type = r.pick(types);
        const file: NewFile = {
          type,
          mode: r.below(0o10000),
          uid: r.below(100),
          gid: r.below(100),
          ...(type === 'symlink' && { target: '/some/where' }),
          ...(type === 'device' && { device: { host: 3, type: 2, unit: r.below(9) } }),
        };
        const [disk, memory] = yield* this.#same(
          `create ${name} ${type}`,
          (s, f) => s.create(f(at), name, file),
          ids,
        );
        if (disk !== undefined && memory !== undefined) this.#known.push({ disk, memory });
        return;
      }
      case 3:
      case 4:
      case 5: {
        const position = r.below(60_000);
        const bytes = bytesOf(r);
        const when = r.pick(['delayed', 'soon', 'through'] as const);
        yield* this.#same(
          `write ${position}+${bytes.length}`,
          (s, f) => s.write(f(other), position, bytes, when),
          nothing,
        );
        return;
      }
      case 6: {
        const size = r.below(60_000);
        yield* this.#same(`truncate ${size}`, (s, f) => s.truncate(f(other), size), nothing);
        return;
      }
      case 7: {
        const from = r.below(70_000);
        const count = 1 + r.below(20_000);
        yield* this.#same(`read ${from}+${count}`, (s, f) => readFile(s, f(other), from, count), text);
        return;
      }
      case 8:
        yield* this.#same(`link ${name}`, (s, f) => s.link(f(at), name, f(other)), nothing);
        return;
      case 9:
      case 10: {
        const directory = r.chance(0.4);
        const [result] = yield* this.#same(
          `unlink ${name} ${directory}`,
          (s, f) => s.unlink(f(at), name, { directory }),
          ({ linksLeft }) => `${linksLeft}`,
        );
        if (result?.linksLeft === 0) yield* this.#unnamed(result.file);
        return;
      }
      case 11:
      case 12: {
        const newName = r.pick(names);
        const [result] = yield* this.#same(
          `rename ${name} ${newName}`,
          (s, f) => s.rename(f(at), name, f(other), newName),
          ({ replaced }) => `${replaced?.linksLeft}`,
        );
        if (result?.replaced?.linksLeft === 0) yield* this.#unnamed(result.replaced.file);
        return;
      }
      default: {
        const mode = r.below(0o10000);
        yield* this.#same(
          'setAttributes',
          (s, f) => s.setAttributes(f(other), { mode, uid: mode, version: mode + 1 }),
          nothing,
        );
        yield* this.#same(
          'lookup',
          (s, f) => s.lookup(f(at), name),
          (f) => String(f !== undefined),
        );
        if (r.chance(0.2)) yield* this.#close();
      }
    }
  }

  *compareTrees(): Task<void> {
    const queue = [{ disk: this.server.storage.root, memory: this.server.model.root }];
    for (let d = queue.shift(); d !== undefined; d = queue.shift()) {
      const here = d;
      const one = (x: Both) => (s: Storage) => (s === this.server.model ? x.memory : x.disk);
      const [disk, memory] = yield* this.#same(
        'entries',
        (s) => s.entries(one(here)(s)),
        (e) => e.map((x) => x.name).join(),
      );
      for (const [i, e] of (disk ?? []).entries()) {
        const twin = memory?.[i];
        if (twin === undefined) continue;
        const file = { disk: e.file, memory: twin.file };
        const [a] = yield* this.#same(
          `attributes of ${e.name}`,
          (s) => s.attributes(one(file)(s)),
          (x) =>
            JSON.stringify([
              x.type,
              x.type === 'directory' ? 0 : x.sizeBytes,
              x.links,
              x.mode,
              x.uid,
              x.gid,
              x.version,
              x.device,
            ]),
        );
        if (a?.type === 'directory') queue.push(file);
        else yield* this.#same(`bytes of ${e.name}`, (s) => s.read(one(file)(s), 0, 200_000), text);
      }
    }
  }

  *closeAll(): Task<void> {
    while (this.#open.length > 0) yield* this.#close();
  }

  /** Without a name; still open for a while, or freed at once. */
  *#unnamed(file: FileId): Task<void> {
    const known = this.#known.find((k) => k.disk.number === file.number);
    if (known === undefined) throw new Error('a file that nobody made');
    this.#open.push(known);
    if (this.#random.chance(0.7)) yield* this.#close();
  }

  *#close(): Task<void> {
    const closed = this.#open.pop();
    if (closed === undefined) return;
    // A link may have given it a name again.
    if ((yield* this.server.model.attributes(closed.memory)).links > 0) return;
    yield* this.#same('reclaim', (s, f) => s.reclaim(f(closed)), nothing);
    this.#known = this.#known.filter((k) => k !== closed);
  }

  *#same<T>(
    what: string,
    body: (s: Storage, f: (b: Both) => FileId) => Task<T>,
    show: (value: T) => string,
  ): Task<[T | undefined, T | undefined]> {
    this.log.push(what);
    const { storage, model } = this.server;
    const [disk, onDisk] = yield* outcome(
      body(storage, (b) => b.disk),
      show,
    );
    const [memory, inMemory] = yield* outcome(
      body(model, (b) => b.memory),
      show,
    );
    if (onDisk !== inMemory)
      throw new Error(`${what}: ${onDisk.slice(0, 200)} on the disk, ${inMemory.slice(0, 200)} in memory`);
    return [disk, memory];
  }
}

const nothing = (): string => '';
const ids = (f: FileId): string => String(f.domain);
function text(bytes: Uint8Array): string {
  let sum = 17;
  for (const b of bytes) sum = (Math.imul(sum, 31) + b) | 0;
  return `${bytes.length} bytes, ${sum}`;
}

/** Directories are read by entries; what their bytes are is the storage's own affair. */
function* readFile(s: Storage, f: FileId, at: number, count: number): Task<Uint8Array> {
  return (yield* s.attributes(f)).type === 'directory' ? new Uint8Array(0) : yield* s.read(f, at, count);
}

function* outcome<T>(body: Task<T>, show: (value: T) => string): Task<[T | undefined, string]> {
  try {
    const value = yield* body;
    return [value, `ok ${show(value)}`];
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return [undefined, e.kind];
  }
}

function sequences(seeds: readonly number[], steps: number, o: ServerOptions): void {
  for (const seed of seeds) {
    const server = new Server({ ...o, seed });
    const pair = new Pair(server);
    try {
      for (let boot = 0; boot < 2; boot++) {
        server.run(
          (function* (): Task<void> {
            for (let i = 0; i < steps; i++) yield* pair.step();
            yield* pair.closeAll();
            yield* pair.compareTrees();
            yield* server.storage.sync();
          })(),
        );
        expect(server.check()).toEqual([]);
        server.reboot();
        server.run(pair.compareTrees());
      }
    } catch (e) {
      const log = pair.log.slice(-8).join('\n  ');
      throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : e}\n  ${log}`, { cause: e });
    }
  }
}

const seedsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

describe('random sequences of operations have the same answers on a disk as in memory', () => {
  it('with a drive that takes no time', () => {
    sequences(seedsFrom(1, runs(20)), 40, { drive: { profile: 'instant', sectors: 16_384 } });
  });

  it('with a drive that moves, a cache of a few dozen blocks, and metadata written through', () => {
    sequences(seedsFrom(1001, runs(10)), 40, {
      drive: { profile: 'eagle', sectors: 16_384 },
      ofs: { metadata: 'synchronous' },
      cacheBlocks: 30,
    });
  });

  it('with a drive that reads ahead and a short delay', () => {
    sequences(seedsFrom(2001, runs(10)), 40, {
      drive: { profile: 'wren-iv', sectors: 16_384 },
      ofs: { writeDelaySeconds: 0.2, interleaveBlocks: 1 },
      cache: { scanSeconds: 0.1 },
      cacheBlocks: 30,
    });
  });
});
