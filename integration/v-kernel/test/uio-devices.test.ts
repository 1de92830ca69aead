import { DeviceFunction, deviceServer } from '@backplane/device-server-v';
import { seconds, sleep, type Task } from '@backplane/engine';
import { type EntityId, type IpcProcess, type Kernel, wellKnown, wordOf } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { asker, CreateMode, Instance } from '@backplane/uio';
import { vFileServer, vWorkstation } from '@backplane/v';
import { asMac, decodeFrame, decodeUtf8, encodeFrame, hostMac } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const both = CreateMode.read | CreateMode.write;
/** A type of frames that no protocol of the kernel has. */
const type = 0x0900;

const withDevices = (kernel: Kernel): Kernel =>
  kernel.with({ servers: { devices: deviceServer({ probeSeconds: 5 }) } });

const world = (): World =>
  new World({ kernel: withDevices(vWorkstation()), server: withDevices(vFileServer()) });

const manager = (w: World, machine: string): EntityId =>
  w.machine(machine).board('servers', 'servers.devices').process;

describe('the device server of another machine', () => {
  it('is found beside a process, and lists what its machine has', () => {
    const w = world();
    w.run(function* () {
      yield* w.on('mace', function* (self) {
        const group = w.group('mace', wellKnown.deviceManagers);
        const q = { mode: CreateMode.read, beside: manager(w, 'allspice') };
        const directory = yield* Instance.create(asker(self), group, q);
        const bytes = yield* directory.read({ block: 0, first: 0 });
        expect(decodeUtf8(bytes ?? new Uint8Array(0)).split('\n')).toEqual([
          'disk/0',
          'ethernet/nic',
          'console',
          'mouse',
          '',
        ]);
      });
    });
  });

  it('reads and writes the sectors of its disk, whole ones, within its limits', () => {
    const w = world();
    w.run(function* () {
      yield* w.on('mace', function* (self) {
        const disk = yield* Instance.create(asker(self), manager(w, 'allspice'), {
          name: 'disk/0',
          mode: both,
        });
        const { blockBytes } = disk;
        const sectors = disk.description.sizeBytes / blockBytes;
        const last = sectors - 4;
        expect(yield* disk.write({ block: last, first: 0 }, pattern(4 * blockBytes, 1))).toEqual({
          block: sectors,
          first: 0,
        });
        yield* disk.control(DeviceFunction.sync);
        expect(yield* disk.read({ block: last, first: 100 }, 3 * blockBytes)).toEqual(
          pattern(4 * blockBytes, 1).subarray(100, 100 + 3 * blockBytes),
        );
        expect(yield* disk.read({ block: sectors - 1, first: 0 }, 2 * blockBytes)).toHaveLength(blockBytes);
        expect(yield* disk.read({ block: sectors, first: 0 }, 1)).toBeNull();
        expect(yield* kindOf(disk.write({ block: 0, first: 1 }, pattern(blockBytes, 1)))).toBe('badArgument');
        expect(yield* kindOf(disk.write({ block: 0, first: 0 }, pattern(10, 1)))).toBe('badArgument');
        expect(yield* kindOf(disk.write({ block: sectors, first: 0 }, pattern(blockBytes, 1)))).toBe(
          'noSuchSector',
        );
        expect(yield* kindOf(disk.append(pattern(blockBytes, 1)))).toBe('unsupported');
        expect(yield* kindOf(disk.control(99))).toBe('unsupported');
      });
    });
  });

  it('holds locks of ranges until their owner dies on its own machine', () => {
    const w = world();
    w.run(function* () {
      const q = { name: 'disk/0', mode: both };
      w.machine('thyme').scope.spawn(
        'locker',
        w.on('thyme', function* (self) {
          const i = yield* Instance.create(asker(self), manager(w, 'allspice'), q);
          yield* i.lock({ block: 10, blocks: 10 }, 'exclusive');
          yield* sleep(seconds(1e6));
        }),
      );
      yield* w.on('mace', function* (self) {
        const i = yield* Instance.create(asker(self), manager(w, 'allspice'), q);
        yield* sleep(seconds(2));
        expect(yield* kindOf(i.lock({ block: 15, blocks: 1 }, 'shared'))).toBe('wouldBlock');
        yield* i.lock({ block: 20, blocks: 0 }, 'exclusive');
        w.machine('thyme').crash();
        w.machine('thyme').boot();
        yield* sleep(seconds(120));
        yield* i.lock({ block: 15, blocks: 1 }, 'exclusive');
      });
    });
  });
});

describe('the network as a device', () => {
  const frameTo = (w: World, machine: string, payload: Uint8Array) =>
    encodeFrame({
      destination: hostMac(w.machine(machine).host),
      source: hostMac(w.machine('mace').host),
      type,
      payload,
    });
  const open = (w: World, machine: string, self: IpcProcess, t: number = type): Task<Instance> =>
    Instance.create(asker(self), manager(w, machine), { name: `ethernet/nic/${t}`, mode: both });

  it('sends a frame, and gives it to each who waits for frames of its type', () => {
    const w = world();
    w.run(function* () {
      const got: Uint8Array[] = [];
      for (const name of ['one', 'two'])
        w.machine('thyme').scope.spawn(
          name,
          w.on('thyme', function* (self) {
            const i = yield* open(w, 'thyme', self);
            for (let block = 0; block < 2; block++)
              got.push((yield* i.read({ block, first: 0 })) ?? new Uint8Array(0));
            yield* i.release();
          }),
        );
      yield* sleep(seconds(1));
      yield* w.on('mace', function* (self) {
        const i = yield* open(w, 'mace', self);
        expect(yield* i.append(frameTo(w, 'thyme', pattern(500, 1)))).toEqual({ block: 1, first: 0 });
        yield* sleep(seconds(1));
        yield* i.append(frameTo(w, 'thyme', pattern(1500, 2)));
      });
      yield* sleep(seconds(1));
      expect(got.map((f) => f.length)).toEqual([514, 514, 1514, 1514]);
      const source = w.machine('mace').board('nic').address;
      expect(got.map((f) => decodeFrame(f)?.source)).toEqual([source, source, source, source]);
      expect(got[3]?.subarray(14)).toEqual(pattern(1500, 2));
    });
  });

  it('loses what comes faster than it is read', () => {
    const w = world();
    w.run(function* () {
      const idle = w.machine('thyme').scope.spawn(
        'idle',
        w.on('thyme', function* (self) {
          const i = yield* open(w, 'thyme', self);
          yield* sleep(seconds(10));
          let frames = 0;
          for (; frames < 16; frames++) yield* i.read({ block: frames, first: 0 });
          return frames;
        }),
      );
      yield* sleep(seconds(1));
      yield* w.on('mace', function* (self) {
        const i = yield* open(w, 'mace', self);
        for (let n = 0; n < 20; n++) yield* i.append(frameTo(w, 'thyme', pattern(100, n)));
      });
      expect(yield* idle.join()).toBe(16);
      expect(w.cluster.metrics()['devices.lost']).toBe(4);
    });
  });

  it('leaves the kernel its own frames, and takes only what is a frame', () => {
    const w = world();
    w.run(function* () {
      yield* w.on('mace', function* (self) {
        expect(yield* kindOf(open(w, 'mace', self, 0x805c))).toBe('busy');
        const i = yield* open(w, 'mace', self);
        expect(yield* kindOf(i.append(pattern(5, 1)))).toBe('badArgument');
        const other = encodeFrame({
          destination: hostMac(1),
          source: hostMac(1),
          type: type + 1,
          payload: pattern(50, 1),
        });
        expect(yield* kindOf(i.append(other))).toBe('badArgument');
      });
    });
  });

  it('listens to a group while the instance that asked for it is open', () => {
    const w = world();
    w.run(function* () {
      const group = 0x0b00_0000_0901;
      const reader = w.machine('thyme').scope.spawn(
        'reader',
        w.on('thyme', function* (self) {
          const i = yield* open(w, 'thyme', self);
          const words = [Math.floor(group / 0x1_0000_0000), group >>> 0];
          expect(wordOf(yield* i.control(DeviceFunction.joinGroup, words), 0)).toBe(0);
          const first = yield* i.read({ block: 0, first: 0 });
          yield* i.release();
          const again = yield* open(w, 'thyme', self);
          return [first, yield* again.read({ block: 0, first: 0 })];
        }),
      );
      yield* sleep(seconds(1));
      yield* w.on('mace', function* (self) {
        const i = yield* open(w, 'mace', self);
        const toGroup = (payload: Uint8Array) =>
          encodeFrame({ destination: asMac(group), source: hostMac(1), type, payload });
        yield* i.append(toGroup(pattern(100, 1)));
        yield* sleep(seconds(1));
        yield* i.append(toGroup(pattern(100, 2)));
        yield* i.append(frameTo(w, 'thyme', pattern(100, 3)));
      });
      const [first, second] = (yield* reader.join()) as (Uint8Array | null)[];
      expect(first?.subarray(14)).toEqual(pattern(100, 1));
      expect(second?.subarray(14)).toEqual(pattern(100, 3));
    });
  });
});
