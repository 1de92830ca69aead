import { type RandomStream, seconds, type Task } from '@backplane/engine';
import { kindOf, pattern, sameBytes } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { attributeBits } from '../src/attributes.ts';
import { ByteStream, endOfStream } from '../src/byte-stream.ts';
import { Instance } from '../src/instance.ts';
import { ServedObjects } from '../src/served-objects.ts';
import { MemoryObject, TestHost } from '../src/testing.ts';
import type { UioObject } from '../src/uio-object.ts';

const free = { streamNsPerByte: 0, copyNsPerByte: 0 };

function serving(object: UioObject, costs = free) {
  const host = new TestHost(costs === free ? {} : { costs });
  const server = new ServedObjects<UioObject>(host.ipc, host.machine, {
    name: 'server',
    model: 'messages',
    concurrent: 4,
    probeNs: seconds(30),
    *create() {
      return [object];
    },
  });
  const stream = function* (): Task<ByteStream> {
    return new ByteStream(yield* Instance.create(host.asker(), server.process.id, { mode: 3 }), costs);
  };
  return { host, stream };
}

/** Blocks of any length, as they were put. */
class Blocks implements UioObject {
  readonly attributes: number = attributeBits('readable', 'writeable', 'stream', 'variableBlock');
  readonly blockBytes = 64;
  readonly blocks: Uint8Array[] = [];
  #next = 0;

  *read(): Task<Uint8Array | null> {
    return this.blocks[this.#next++] ?? null;
  }

  *write(_: unknown, bytes: Uint8Array): Task<void> {
    this.blocks.push(bytes);
  }

  *release(): Task<void> {}
}

describe('a byte stream over storage', () => {
  it('fills and flushes its buffer in units, however small the steps', () => {
    const file = new MemoryObject();
    const { host, stream } = serving(file);
    host.run(function* () {
      const s = yield* stream();
      for (const byte of pattern(20_000, 1)) yield* s.putByte(byte);
      expect(file.bytes.length).toBe(16_384);
      yield* s.flush();
      expect(sameBytes(file.bytes, pattern(20_000, 1))).toBe(true);
      s.seek(5);
      expect(yield* s.getByte()).toBe(pattern(20_000, 1)[5]);
      s.seek(20_000);
      expect(yield* s.getByte()).toBe(endOfStream);
      yield* s.close();
    });
    expect(file.released).toEqual(['normal']);
  });

  it('keeps what it had not brought out to itself when it is aborted', () => {
    const file = new MemoryObject();
    const { host, stream } = serving(file);
    host.run(function* () {
      const s = yield* stream();
      yield* s.write(pattern(10_000, 1));
      yield* s.close('abort');
    });
    expect([file.bytes.length, file.released]).toEqual([8192, ['abort']]);
  });

  it('puts everything at the end of what only grows', () => {
    const file = new MemoryObject(
      1024,
      attributeBits('readable', 'writeable', 'appendOnly', 'storage', 'randomAccess', 'multiBlock'),
    );
    const { host, stream } = serving(file);
    host.run(function* () {
      const [a, b] = [yield* stream(), yield* stream()];
      yield* a.write(pattern(10, 1));
      yield* b.write(pattern(20, 2));
      yield* a.flush();
      yield* b.flush();
      yield* a.write(pattern(5, 3));
      yield* a.flush();
      expect(a.position).toBe(35);
    });
    expect(file.bytes).toEqual(Uint8Array.of(...pattern(10, 1), ...pattern(20, 2), ...pattern(5, 3)));
  });

  it('is a plain array to who uses it, and leaves one at its server', () => {
    for (let seed = 1; seed <= 30; seed++) course(seed);
  });

  it('charges for bytes one by one what they cost, and for many the copy', () => {
    const costs = { streamNsPerByte: 6080, copyNsPerByte: 490 };
    const { host, stream } = serving(new MemoryObject(), costs);
    const took = host.run(function* () {
      const s = yield* stream();
      const startNs = host.nowNs;
      for (const byte of pattern(1000, 1)) yield* s.putByte(byte);
      yield* s.flush();
      const puttingNs = host.nowNs - startNs;
      s.seek(0);
      yield* s.read(1000);
      yield* s.instance.query();
      return [puttingNs, host.nowNs - startNs - puttingNs];
    });
    expect(took).toEqual([6_080_000, 490_000]);
  });
});

/** Random steps, each compared with the same step on an array. */
function course(seed: number): void {
  const random: RandomStream = new TestHost({ seed }).machine.random('stream');
  const file = new MemoryObject(random.pick([64, 512, 1024]));
  const { host, stream } = serving(file);
  let model = new Uint8Array(0);
  const put = (at: number, bytes: Uint8Array): void => {
    const longer = new Uint8Array(Math.max(model.length, at + bytes.length));
    longer.set(model);
    longer.set(bytes, at);
    model = longer;
  };
  host.run(function* () {
    const s = yield* stream();
    let at = 0;
    for (let step = 0; step < 150; step++) {
      const where = `seed ${seed} step ${step}`;
      const what = random.below(12);
      if (what < 3) {
        const byte = yield* s.getByte();
        expect(byte, where).toBe(model[at] ?? endOfStream);
        if (byte !== endOfStream) at++;
      } else if (what < 6) {
        const byte = random.below(256);
        yield* s.putByte(byte);
        put(at++, Uint8Array.of(byte));
      } else if (what < 8) {
        const count = random.below(random.chance(0.2) ? 20_000 : 100);
        const bytes = yield* s.read(count);
        expect(sameBytes(bytes, model.subarray(at, at + count)), where).toBe(true);
        at += bytes.length;
      } else if (what < 10) {
        const bytes = pattern(random.below(random.chance(0.2) ? 20_000 : 100), step);
        yield* s.write(bytes);
        if (bytes.length > 0) put(at, bytes);
        at += bytes.length;
      } else if (what < 11) {
        at = random.below(model.length + (random.chance(0.1) ? 3000 : 1));
        s.seek(at);
      } else yield* s.flush();
      expect(s.position, where).toBe(at);
    }
    yield* s.close();
    expect(sameBytes(file.bytes, model), `seed ${seed}`).toBe(true);
  });
}

describe('a byte stream over a sequence of blocks', () => {
  it('sends a block when it is full, or flushed, and reads across their limits', () => {
    const blocks = new Blocks();
    const { host, stream } = serving(blocks);
    host.run(function* () {
      const s = yield* stream();
      yield* s.write(pattern(100, 1));
      yield* s.flush();
      for (const byte of pattern(10, 2)) yield* s.putByte(byte);
      yield* s.flush();
      yield* s.flush();
      expect(blocks.blocks.map((b) => b.length)).toEqual([64, 36, 10]);
      const got: number[] = [];
      for (let byte = yield* s.getByte(); byte !== endOfStream; byte = yield* s.getByte()) got.push(byte);
      expect(Uint8Array.from(got)).toEqual(Uint8Array.of(...pattern(100, 1), ...pattern(10, 2)));
    });
  });

  it('reads what there is, not what was asked for, and keeps what is left of a block', () => {
    const blocks = new Blocks();
    const { host, stream } = serving(blocks);
    host.run(function* () {
      const s = yield* stream();
      yield* s.write(pattern(20, 1));
      yield* s.flush();
      expect(yield* s.read(15)).toEqual(pattern(20, 1).subarray(0, 15));
      yield* s.putByte(7);
      expect(yield* s.read(15)).toEqual(pattern(20, 1).subarray(15));
      expect(yield* s.read(15)).toHaveLength(0);
    });
  });

  it('has no position to be set', () => {
    const { host, stream } = serving(new Blocks());
    host.run(function* () {
      const s = yield* stream();
      const seek = function* (): Task<void> {
        s.seek(0);
      };
      expect(yield* kindOf(seek())).toBe('notSeekable');
    });
  });
});
