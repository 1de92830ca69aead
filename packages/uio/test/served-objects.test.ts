import { seconds, type Task, WaitQueue } from '@backplane/engine';
import {
  codeOf,
  flagsOf,
  isKernelError,
  KernelError,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { attributeBits } from '../src/attributes.ts';
import { Instance } from '../src/instance.ts';
import {
  CreateMode,
  type CreateRequest,
  described,
  type InstanceDescription,
  toCreate,
  toQuery,
  toRead,
  toWrite,
  transferBytesMax,
} from '../src/operations.ts';
import { ServedObjects } from '../src/served-objects.ts';
import type { ServerModel } from '../src/serving-process.ts';
import { MemoryObject, TestHost } from '../src/testing.ts';
import type { UioObject } from '../src/uio-object.ts';

/** A source of numbered blocks, and a sink that keeps them. */
class Numbers implements UioObject {
  readonly attributes: number = attributeBits('readable', 'writeable', 'stream', 'variableBlock');
  readonly blockBytes = 100;
  reads = 0;
  readonly written: Uint8Array[] = [];
  readonly gate: WaitQueue = new WaitQueue();
  ends = 5;

  *read(): Task<Uint8Array | null> {
    if (this.reads >= this.ends) return null;
    this.reads++;
    return pattern(10 * this.reads, this.reads);
  }

  *write(_: unknown, bytes: Uint8Array): Task<void> {
    this.written.push(bytes);
  }

  *control(request: Message): Task<Message> {
    return message({ code: ReplyCode.ok, words: [wordOf(request, 3) + 1], segment: request.segment });
  }

  *release(): Task<void> {}
}

class Waiting extends Numbers {
  #gone = false;

  override *read(): Task<Uint8Array | null> {
    while (this.reads === 0 && !this.#gone) yield* this.gate.wait();
    return this.#gone ? null : new Uint8Array(1);
  }

  override *release(): Task<void> {
    this.#gone = true;
    this.gate.wakeAll();
  }
}

function world(
  make: (q: CreateRequest) => readonly [UioObject, ...UioObject[]],
  model: ServerModel = 'messages',
) {
  const host = new TestHost();
  const server = new ServedObjects<UioObject>(host.ipc, host.machine, {
    name: 'server',
    model,
    concurrent: 4,
    probeNs: seconds(30),
    *create(q) {
      return make(q);
    },
  });
  const open = (mode = 3): Task<Instance> => Instance.create(host.asker(), server.process.id, { mode });
  return { host, server, open };
}

describe.each(['messages', 'procedures'] as const)('a server of objects by %s', (model) => {
  it('describes what it has made, and lets it be read and written', () => {
    const file = new MemoryObject();
    const { host, server, open } = world(() => [file], model);
    host.run(function* () {
      const i = yield* open();
      expect(i.description).toMatchObject({ manager: server.process.id, blockBytes: 1024, sizeBytes: 0 });
      expect(yield* i.write({ block: 1, first: 500 }, pattern(3000, 1))).toEqual({ block: 4, first: 428 });
      expect(yield* i.read({ block: 1, first: 500 }, 4000)).toEqual(pattern(3000, 1));
      expect(yield* i.read({ block: 5, first: 0 }, 10)).toBeNull();
      expect((yield* i.query()).sizeBytes).toBe(1524 + 3000);
      yield* i.modify(1600);
      expect(yield* i.append(pattern(24, 2))).toEqual({ block: 1, first: 600 });
      yield* i.release();
      expect(yield* kindOf(i.query())).toBe('badHandle');
    });
    expect([file.bytes.length, file.released, server.instances.count]).toEqual([1624, ['normal'], 0]);
  });

  it('answers an unknown operation, a stale instance and an object without the operation', () => {
    const { host, server, open } = world(() => [new Numbers()], model);
    host.run(function* () {
      const p = host.process();
      const code = function* (m: Message): Task<number> {
        return codeOf((yield* p.send(server.process.id, m)).message);
      };
      expect(yield* code(message({ code: 0x7777 }))).toBe(ReplyCode.protocolError);
      expect(yield* kindOf(host.asker().send(server.process.id, toQuery(99)))).toBe('stale');
      const i = yield* open();
      expect(yield* kindOf(i.modify(5))).toBe('unsupported');
      expect(yield* kindOf(i.lock({ block: 0, blocks: 1 }, 'shared'))).toBe('unsupported');
      expect(wordOf(yield* i.control(5, [41], pattern(3, 1)), 1)).toBe(42);
    });
  });
});

describe('what objects have in common', () => {
  it('marks what was read of storage as something to be done again, and nothing else', () => {
    const flags = (object: UioObject): number => {
      const { host, server } = world(() => [object]);
      return host.run(function* () {
        const p = host.process();
        const made = described((yield* p.send(server.process.id, toCreate({ mode: 3 }))).message);
        yield* p.send(server.process.id, toWrite(made.instance, 'end', pattern(5, 1)));
        const { message: m } = yield* p.send(
          server.process.id,
          toRead(made.instance, { block: 0, first: 0 }, 5),
        );
        return flagsOf(m) & MessageFlag.datagram;
      });
    };
    expect(flags(new MemoryObject())).toBe(MessageFlag.datagram);
    expect(flags(new Numbers())).toBe(0);
  });

  it('moves several blocks only of what announces it, and 16 KB at most', () => {
    const { host, server } = world(({ mode }) => [mode === 1 ? new MemoryObject() : new Numbers()]);
    const kind = (mode: number, count: number): string =>
      host.run(function* () {
        const a = host.asker();
        const { instance } = described(yield* a.send(server.process.id, toCreate({ mode })));
        return yield* kindOf(a.send(server.process.id, toRead(instance, { block: 0, first: 0 }, count)));
      });
    expect([kind(1, transferBytesMax), kind(1, transferBytesMax + 1)]).toEqual(['ok', 'badArgument']);
    expect([kind(2, 100), kind(2, 101)]).toEqual(['ok', 'badArgument']);
  });

  it('gives the blocks of a sequence one after the other, the last one again, and no other', () => {
    const numbers = new Numbers();
    const { host, open } = world(() => [numbers]);
    host.run(function* () {
      const i = yield* open();
      const block = (n: number, first = 0, count = 100): Task<Uint8Array | null> =>
        i.read({ block: n, first }, count);
      expect(yield* block(0)).toEqual(pattern(10, 1));
      expect(yield* block(0)).toEqual(pattern(10, 1));
      expect(yield* block(1, 0, 7)).toEqual(pattern(20, 2).subarray(0, 7));
      expect(yield* block(1, 7)).toEqual(pattern(20, 2).subarray(7));
      expect(yield* kindOf(block(3))).toBe('notSeekable');
      expect(yield* kindOf(block(0))).toBe('notSeekable');
      for (const n of [2, 3, 4]) yield* block(n);
      expect(yield* block(5)).toBeNull();
      expect(yield* block(4)).toEqual(pattern(50, 5));
      expect((yield* i.query()).nextRead).toBe(5);
    });
    expect(numbers.reads).toBe(5);
  });

  it('writes a block of a sequence once, however often it comes, and numbers for who does not', () => {
    const numbers = new Numbers();
    const { host, open } = world(() => [numbers]);
    host.run(function* () {
      const i = yield* open();
      yield* i.write({ block: 0, first: 0 }, pattern(10, 1));
      yield* i.write({ block: 0, first: 0 }, pattern(10, 1));
      expect(yield* i.append(pattern(20, 2))).toEqual({ block: 2, first: 0 });
      expect(yield* kindOf(i.write({ block: 3, first: 0 }, pattern(1, 1)))).toBe('notSeekable');
      expect(yield* kindOf(i.write({ block: 2, first: 5 }, pattern(1, 1)))).toBe('badArgument');
    });
    expect(numbers.written).toEqual([pattern(10, 1), pattern(20, 2)]);
  });

  it('refuses at the client what was not announced', () => {
    const { host, server } = world(() => [new MemoryObject(512, attributeBits('readable', 'randomAccess'))]);
    host.run(function* () {
      const i = yield* Instance.create(host.asker(), server.process.id, { mode: CreateMode.read });
      const refused = function* (task: Task<unknown>): Task<string> {
        return yield* kindOf(task);
      };
      expect(yield* refused(i.append(pattern(1, 1)))).toBe('unsupported');
      expect(yield* refused(i.lock({ block: 0, blocks: 0 }, 'shared'))).toBe('unsupported');
      expect(yield* refused(i.read({ block: 0, first: 0 }, 513))).toBe('badArgument');
    });
  });

  it('gives two ends of one thing numbers that follow one another', () => {
    const { host, server } = world(() => [new Numbers(), new MemoryObject()]);
    host.run(function* () {
      const a = host.asker();
      const first = yield* Instance.create(a, server.process.id, { mode: 3 });
      const second = yield* Instance.of(a, server.process.id, first.number + 1);
      expect([first.blockBytes, second.blockBytes]).toEqual([100, 1024]);
    });
  });

  it('tells who wants a lock that somebody has it, and gives it when that instance goes', () => {
    const { host, open } = world(() => [new MemoryObject()]);
    host.run(function* () {
      const [a, b] = [yield* open(), yield* open()];
      yield* a.lock({ block: 3, blocks: 2 }, 'exclusive');
      expect(yield* kindOf(b.lock({ block: 0, blocks: 0 }, 'shared'))).toBe('wouldBlock');
      yield* b.lock({ block: 0, blocks: 3 }, 'exclusive');
      yield* a.release();
      yield* b.lock({ block: 0, blocks: 0 }, 'exclusive');
    });
  });
});

describe('an owner that dies', () => {
  it('takes its instances along, also those that were handed to it, and no others', () => {
    const file = new MemoryObject();
    const { host, server } = world(() => [file]);
    const [mortal, heir] = [host.process(), host.process()];
    host.run(function* () {
      const q = { mode: 3, owner: mortal.id };
      const given = yield* Instance.create(host.asker(), server.process.id, q);
      yield* Instance.create(host.asker(), server.process.id, q);
      const received = yield* Instance.create(host.asker(), server.process.id, { mode: 3 });
      yield* given.setOwner(heir.id);
      yield* received.setOwner(mortal.id);
    });
    mortal.destroy();
    host.after(seconds(31));
    expect([server.instances.count, server.instances.collected, file.released]).toEqual([
      1,
      2,
      ['abort', 'abort'],
    ]);
    heir.destroy();
    host.after(seconds(31));
    expect(server.instances.count).toBe(0);
  });

  it('leaves nobody waiting in what was its own', () => {
    const { host, server } = world(() => [new Waiting()]);
    const mortal = host.process();
    const reading = host.start(function* () {
      const i = yield* Instance.create({ send: (to, m) => host.asker().send(to, m) }, server.process.id, {
        mode: 1,
        owner: mortal.id,
      });
      return yield* i.read({ block: 0, first: 0 });
    });
    host.after(seconds(1));
    expect(reading.ended).toBe(false);
    mortal.destroy();
    host.after(seconds(31));
    expect([reading.ended, reading.value]).toEqual([true, null]);
  });
});

describe('a manager that dies', () => {
  it('takes its instances along, which a program gets again where the object is still there', () => {
    const file = new MemoryObject();
    const { host, server, open } = world(() => [file]);
    const next = (): ServedObjects<UioObject> =>
      new ServedObjects<UioObject>(host.ipc, host.machine, {
        name: 'next',
        model: 'messages',
        concurrent: 1,
        probeNs: seconds(30),
        *create() {
          return [file];
        },
      });
    host.run(function* () {
      const lost = yield* open();
      const a = host.asker();
      let found = 0;
      const options = {
        *again(): Task<InstanceDescription> {
          found++;
          return described(yield* a.send(next().process.id, toCreate({ mode: 3 })));
        },
      };
      const made = described(yield* a.send(server.process.id, toCreate({ mode: 3 })));
      const kept = new Instance(a, made, options);
      yield* kept.append(pattern(100, 1));
      server.process.destroy();
      expect(yield* kindOf(lost.append(pattern(1, 1)))).toBe('peerDown');
      expect(yield* kept.read({ block: 0, first: 0 })).toEqual(pattern(100, 1));
      yield* kept.append(pattern(10, 2));
      expect([found, kept.manager === server.process.id]).toEqual([1, false]);
      // So does one that was told of it, and had not asked for it before.
      expect(yield* kindOf(Instance.of(a, made.manager, made.instance))).toBe('peerDown');
      const told = yield* Instance.of(a, made.manager, made.instance, options);
      expect(yield* told.read({ block: 0, first: 0 })).toEqual(yield* kept.read({ block: 0, first: 0 }));
      expect(found).toBe(2);
      yield* lost.release();
    });
    expect(file.bytes.length).toBe(110);
  });
});

describe('10,000 instances that were made and released', () => {
  it('leave nothing behind', () => {
    const { host, server } = world(({ mode }) => [mode === 1 ? new MemoryObject() : new Numbers()]);
    host.run(function* () {
      const a = host.asker();
      for (let n = 0; n < 10_000; n++) {
        const i = yield* Instance.create(a, server.process.id, { mode: 1 + (n % 2) });
        if (n % 2 === 0) yield* i.lock({ block: n, blocks: 1 }, 'exclusive');
        yield* i.release();
      }
    });
    expect([server.instances.count, server.remembered]).toEqual([0, 0]);
    host.after(seconds(31));
    const { events } = host.machine.engine;
    host.after(seconds(3600));
    expect(host.machine.engine.events).toBe(events);
  });
});

describe('a server in a group', () => {
  it('leaves to other members what it does not know, and answers the rest', () => {
    const { host, server } = world(() => [new MemoryObject()]);
    const group = host.ipc.mintGroup();
    server.process.join(group);
    host.run(function* () {
      const p = host.process();
      const code = function* (m: Message): Task<number> {
        return codeOf((yield* p.send(group, m)).message);
      };
      expect(yield* code(message({ code: 0x7777 }))).toBe(ReplyCode.responseDiscarded);
      expect(yield* code(toCreate({ mode: 1 }))).toBe(ReplyCode.ok);
    });
  });
});

describe('an object that fails', () => {
  it('says so in the answer, and the server goes on', () => {
    class Failing extends MemoryObject {
      override *read(): Task<Uint8Array | null> {
        throw new KernelError('ioError');
      }
    }
    const { host, open } = world(() => [new Failing()]);
    host.run(function* () {
      const i = yield* open();
      try {
        yield* i.read({ block: 0, first: 0 });
        expect.unreachable();
      } catch (e) {
        expect(isKernelError(e, 'ioError')).toBe(true);
      }
      expect((yield* i.query()).sizeBytes).toBe(0);
    });
  });
});
