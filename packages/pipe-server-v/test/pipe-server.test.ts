import { seconds, type Task } from '@backplane/engine';
import type { EntityId, IpcProcess } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { asker, ByteStream, CreateMode, endOfStream, Instance } from '@backplane/uio';
import { TestHost } from '@backplane/uio/testing';
import { describe, expect, it } from 'vitest';
import { type PipeServerOptions, pipeServer } from '../src/index.ts';

class World extends TestHost {
  readonly server: EntityId;

  constructor(o: PipeServerOptions = {}, seed = 1) {
    super({ seed });
    // boundary: the chassis grants the same
    this.server = pipeServer(o).create({ ipc: this.ipc, wrapped: new Map() } as never, this.machine).process;
  }

  get ends(): number {
    return this.machine.metric('pipes.ends') ?? Number.NaN;
  }

  *pipe(owner?: EntityId): Task<readonly [Instance, Instance]> {
    const q = { mode: CreateMode.read | CreateMode.write, ...(owner !== undefined && { owner }) };
    const into = yield* Instance.create(this.asker(), this.server, q);
    return [into, yield* Instance.of(this.asker(), this.server, into.number + 1)];
  }

  /** One more end beside this one, of a process of its own. */
  *beside(i: Instance, mode: number, process: IpcProcess = this.process()): Task<Instance> {
    return yield* Instance.create(asker(process), this.server, {
      name: String(i.number),
      mode,
      owner: process.id,
    });
  }
}

describe('a pipe', () => {
  it('carries blocks as they were written, and then the end', () => {
    const w = new World();
    w.run(function* () {
      const [into, out] = yield* w.pipe();
      expect([
        into.can('writeable'),
        into.can('readable'),
        out.can('readable'),
        out.can('writeable'),
      ]).toEqual([true, false, true, false]);
      yield* into.append(pattern(1024, 1));
      yield* into.append(pattern(10, 2));
      expect(yield* out.read({ block: 0, first: 0 })).toEqual(pattern(1024, 1));
      expect(yield* out.read({ block: 1, first: 0 })).toEqual(pattern(10, 2));
      yield* into.append(pattern(1, 3));
      yield* into.release();
      expect(yield* out.read({ block: 2, first: 0 })).toEqual(pattern(1, 3));
      expect(yield* out.read({ block: 3, first: 0 })).toBeNull();
      yield* out.release();
    });
    expect(w.ends).toBe(0);
  });

  it('keeps its reader waiting while it is empty, and its writer while it is full', () => {
    const w = new World({ blocks: 2 });
    const [into, out] = w.run(() => w.pipe());
    const reading = w.start(() => out.read({ block: 0, first: 0 }));
    w.after(seconds(10));
    expect(reading.ended).toBe(false);
    w.run(() => into.append(pattern(5, 1)));
    expect(reading.value).toEqual(pattern(5, 1));
    w.run(() => into.append(pattern(5, 2)));
    w.run(() => into.append(pattern(5, 3)));
    const writing = w.start(() => into.append(pattern(5, 4)));
    w.after(seconds(10));
    expect(writing.ended).toBe(false);
    expect(w.run(() => out.read({ block: 1, first: 0 }))).toEqual(pattern(5, 2));
    expect(writing.ended).toBe(true);
  });

  it('tells its writers when nobody will read, also one that waits', () => {
    const w = new World({ blocks: 1 });
    const [into, out] = w.run(() => w.pipe());
    w.run(() => into.append(pattern(5, 1)));
    const writing = w.start(() => kindOf(into.append(pattern(5, 2))));
    w.run(() => out.release());
    w.after(seconds(1));
    expect(writing.value).toBe('brokenPipe');
    expect(w.run(() => kindOf(into.append(pattern(5, 2))))).toBe('brokenPipe');
  });

  it('ends for its readers with the last writer, for its writers with the last reader', () => {
    const w = new World();
    w.run(function* () {
      const [into, out] = yield* w.pipe();
      const second = yield* w.beside(out, CreateMode.write);
      const reader = yield* w.beside(into, CreateMode.read);
      yield* into.release();
      yield* out.release();
      yield* second.append(pattern(7, 1));
      expect(yield* reader.read({ block: 0, first: 0 })).toEqual(pattern(7, 1));
      yield* second.release();
      expect(yield* reader.read({ block: 1, first: 0 })).toBeNull();
    });
    expect(w.ends).toBe(1);
  });

  it('has two ends when it is made, and more only beside one that is there', () => {
    const w = new World();
    w.run(function* () {
      const create = (name: string, mode: number): Task<string> =>
        kindOf(Instance.create(w.asker(), w.server, { name, mode }));
      expect(yield* create('', CreateMode.read)).toBe('badArgument');
      expect(yield* create('77', CreateMode.read)).toBe('notFound');
      expect(yield* create('x', CreateMode.read)).toBe('notFound');
      const [into] = yield* w.pipe();
      expect(yield* create(String(into.number), CreateMode.read | CreateMode.write)).toBe('badArgument');
    });
  });
});

describe('an end whose owner dies', () => {
  it('is as if it had been released', () => {
    const w = new World();
    const [writer, reader] = [w.process(), w.process()];
    const [into, out] = w.run(function* () {
      const [into, out] = yield* w.pipe();
      yield* into.setOwner(writer.id);
      yield* out.setOwner(reader.id);
      return [into, out] as const;
    });
    w.run(() => into.append(pattern(5, 1)));
    writer.destroy();
    w.after(seconds(31));
    w.run(function* () {
      expect(yield* out.read({ block: 0, first: 0 })).toEqual(pattern(5, 1));
      expect(yield* out.read({ block: 1, first: 0 })).toBeNull();
    });
    reader.destroy();
    w.after(seconds(31));
    expect([w.ends, w.machine.metric('pipes.collected')]).toEqual([0, 2]);
  });

  it('takes no block that somebody else would have read', () => {
    const w = new World();
    const dead = w.process();
    const [into, waiting, other] = w.run(function* () {
      const [into, out] = yield* w.pipe();
      const waiting = yield* w.beside(into, CreateMode.read);
      yield* waiting.setOwner(dead.id);
      return [into, waiting, out] as const;
    });
    const reading = w.start(() => waiting.read({ block: 0, first: 0 }));
    w.after(seconds(1));
    dead.destroy();
    w.after(seconds(31));
    expect([reading.ended, reading.value]).toEqual([true, null]);
    w.run(() => into.append(pattern(9, 1)));
    expect(w.run(() => other.read({ block: 0, first: 0 }))).toEqual(pattern(9, 1));
  });
});

describe('many writers and readers of one pipe', () => {
  it('lose nothing and get nothing twice, whoever comes and goes', () => {
    for (let seed = 1; seed <= 40; seed++) course(seed);
  });

  function course(seed: number): void {
    const w = new World({ blocks: 1 + (seed % 3), blockBytes: 16 }, seed);
    const random = w.machine.random('pipes');
    const [written, got]: [number[], number[]] = [[], []];
    let ended = 0;
    const [into, out] = w.run(() => w.pipe());
    const writers = 1 + random.below(4);
    const readers = 1 + random.below(4);
    for (let n = 0; n < writers; n++)
      w.start(function* () {
        const own = yield* w.beside(into, CreateMode.write);
        for (let i = 0; i < 20; i++) {
          written.push(n * 100 + i);
          yield* own.append(Uint8Array.of(n, i));
        }
        yield* own.release();
      });
    for (let n = 0; n < readers; n++)
      w.start(function* () {
        const own = yield* w.beside(out, CreateMode.read);
        for (let block = 0; ; block++) {
          const bytes = yield* own.read({ block, first: 0 });
          if (bytes === null) break;
          got.push((bytes[0] ?? 0) * 100 + (bytes[1] ?? 0));
        }
        yield* own.release();
        ended++;
      });
    w.after(seconds(1));
    w.run(() => into.release());
    w.run(() => out.release());
    w.after(seconds(1));
    const numbers = (all: readonly number[]): readonly number[] => [...all].sort((a, b) => a - b);
    expect([ended, w.ends], `seed ${seed}`).toEqual([readers, 0]);
    expect(numbers(got), `seed ${seed}`).toEqual(numbers(written));
    for (let n = 0; n < (readers === 1 ? writers : 0); n++) {
      const own = got.filter((x) => Math.floor(x / 100) === n);
      expect(own, `seed ${seed}: what one writes comes in its order`).toEqual(numbers(own));
    }
  }
});

describe('byte streams at both ends', () => {
  it('move what does not fit at once, in whatever steps', () => {
    const w = new World();
    const [into, out] = w.run(() => w.pipe());
    const all = pattern(50_000, 1);
    const costs = { streamNsPerByte: 0, copyNsPerByte: 0 };
    w.start(function* () {
      const s = new ByteStream(into, costs);
      for (const byte of all.subarray(0, 3000)) yield* s.putByte(byte);
      yield* s.write(all.subarray(3000));
      yield* s.close();
    });
    const got = w.run(function* () {
      const s = new ByteStream(out, costs);
      const bytes: number[] = [];
      for (let byte = yield* s.getByte(); byte !== endOfStream; byte = yield* s.getByte()) bytes.push(byte);
      return Uint8Array.from(bytes);
    });
    expect(got).toEqual(all);
  });
});

describe('10,000 pipes', () => {
  it('leave nothing behind', () => {
    const w = new World();
    w.run(function* () {
      for (let n = 0; n < 10_000; n++) {
        const a = asker(w.process());
        const into = yield* Instance.create(a, w.server, { mode: 3 });
        const out = yield* Instance.of(a, w.server, into.number + 1);
        yield* out.release();
        yield* into.release();
      }
    });
    expect(w.ends).toBe(0);
    w.after(seconds(31));
    const { events } = w.machine.engine;
    w.after(seconds(1000));
    expect(w.machine.engine.events).toBe(events);
  });
});
