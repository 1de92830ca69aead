import { seconds, type Task } from '@backplane/engine';
import { BareProcessors, kindOf, pattern } from '@backplane/slots/testing';
import { ByteStream, CreateMode, Instance } from '@backplane/uio';
import { TestHost } from '@backplane/uio/testing';
import { decodeUtf8, encodeUtf8 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { type DeviceServer, type DeviceServerOptions, deviceServer, mouseIn } from '../src/index.ts';

class World extends TestHost {
  readonly server: DeviceServer;
  readonly written: string[] = [];

  constructor(o: DeviceServerOptions = {}) {
    super();
    const granted = {
      ipc: this.ipc,
      processors: new BareProcessors(this.machine),
      disk: new Map(),
      nic: new Map(),
      wrapped: new Map(),
    };
    // boundary: the chassis grants the same, and knows what the component makes
    this.server = deviceServer(o).create(granted as never, this.machine) as DeviceServer;
    this.machine.engine.trace.listen(['console.write'], (e) => {
      if (e.kind === 'console.write') this.written.push(decodeUtf8(e.fields.bytes));
    });
  }

  *open(name: string, mode: number = CreateMode.read | CreateMode.write): Task<Instance> {
    return yield* Instance.create(this.asker(), this.server.process, { name, mode });
  }

  get isOpen(): number {
    return this.machine.metric('devices.open') ?? Number.NaN;
  }
}

const free = { streamNsPerByte: 0, copyNsPerByte: 0 };

describe('a console', () => {
  it('lets a program read what is typed, when it is typed', () => {
    const w = new World();
    const reading = w.start(function* () {
      const stream = new ByteStream(yield* w.open('console'), free);
      return decodeUtf8(yield* stream.read(100));
    });
    w.after(seconds(5));
    expect(reading.ended).toBe(false);
    w.server.typed(encodeUtf8('ls\n'));
    w.after(seconds(1));
    expect(reading.value).toBe('ls\n');
  });

  it('shows what a program has flushed, and not before', () => {
    const w = new World();
    w.run(function* () {
      const stream = new ByteStream(yield* w.open('console'), free);
      yield* stream.write(encodeUtf8('hello '));
      yield* stream.write(encodeUtf8('world\n'));
      expect(w.written).toEqual([]);
      yield* stream.flush();
      expect(w.written).toEqual(['hello world\n']);
    });
  });

  it('keeps what nobody reads, up to a limit', () => {
    const w = new World({ inboxBlocks: 2 });
    w.server.typed(pattern(256 * 3, 1));
    w.after(seconds(1));
    w.run(function* () {
      const i = yield* w.open('console');
      expect(yield* i.read({ block: 0, first: 0 })).toEqual(pattern(256 * 3, 1).subarray(0, 256));
      expect(yield* i.read({ block: 1, first: 0 })).toEqual(pattern(256 * 3, 1).subarray(256, 512));
    });
    expect(w.machine.metric('devices.lost')).toBe(1);
  });

  it('lets the reader go whose owner died, and gives its input to the next', () => {
    const w = new World();
    const dead = w.process();
    const reading = w.start(function* () {
      const i = yield* w.open('console');
      yield* i.setOwner(dead.id);
      return yield* i.read({ block: 0, first: 0 });
    });
    w.after(seconds(1));
    dead.destroy();
    w.after(seconds(31));
    expect([reading.ended, reading.value, w.isOpen]).toEqual([true, null, 0]);
    w.server.typed(encodeUtf8('x'));
    w.run(function* () {
      expect(yield* (yield* w.open('console')).read({ block: 0, first: 0 })).toEqual(encodeUtf8('x'));
    });
  });
});

describe('a mouse', () => {
  it('is read when it has moved since the last read, as it is then', () => {
    const w = new World();
    const i = w.run(() => w.open('mouse', CreateMode.read));
    const first = w.start(() => i.read({ block: 0, first: 0 }));
    w.after(seconds(1));
    expect(first.ended).toBe(false);
    w.server.moved({ x: 3, y: -4, buttons: 1 });
    w.after(seconds(1));
    expect(mouseIn(first.value ?? new Uint8Array(12))).toEqual({ x: 3, y: -4, buttons: 1 });
    w.server.moved({ x: 5, y: 5, buttons: 0 });
    w.server.moved({ x: 6, y: 6, buttons: 0 });
    w.after(seconds(1));
    const second = w.run(() => i.read({ block: 1, first: 0 }));
    expect(mouseIn(second ?? new Uint8Array(12))).toEqual({ x: 6, y: 6, buttons: 0 });
    const third = w.start(() => i.read({ block: 2, first: 0 }));
    w.server.moved({ x: 6, y: 6, buttons: 0 });
    w.after(seconds(1));
    expect(third.ended).toBe(false);
    w.run(() => i.release());
    w.after(seconds(1));
    expect([third.ended, third.value]).toEqual([true, null]);
  });

  it('tells every program that has it open', () => {
    const w = new World();
    const both = w.run(function* () {
      return [yield* w.open('mouse'), yield* w.open('mouse')];
    });
    const reads = both.map((i) => w.start(() => i.read({ block: 0, first: 0 })));
    w.server.moved({ x: 1, y: 1, buttons: 7 });
    w.after(seconds(1));
    expect(reads.map((r) => mouseIn(r.value ?? new Uint8Array(12)).buttons)).toEqual([7, 7]);
  });
});

describe('a device server', () => {
  it('has a directory of what there is, and nothing else', () => {
    const w = new World();
    w.run(function* () {
      const directory = yield* w.open('', CreateMode.read);
      expect(decodeUtf8((yield* directory.read({ block: 0, first: 0 })) ?? new Uint8Array(0))).toBe(
        'console\nmouse\n',
      );
      for (const name of ['disk/0', 'ethernet/nic/0x900', 'consol', 'mouse/1', '/'])
        expect(yield* kindOf(w.open(name))).toBe('notFound');
      expect(yield* kindOf(w.open('console', CreateMode.append))).toBe('unsupported');
      expect(yield* kindOf((yield* w.open('mouse')).append(pattern(1, 1)))).toBe('unsupported');
    });
  });
});
