/** Programs' memory on a V workstation: zeros, copies, files that show through, and more pages than there are frames. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { microvax2, zeroCost } from '@backplane/hw-machines';
import { type AddressSpace, isKernelError, type PagedObject } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { vFileServer } from '@backplane/v';
import type { VMemoryOptions } from '@backplane/vm-v';
import { describe, expect, it } from 'vitest';
import { caching, openCachedOf, openPages } from './memory-world.ts';
import { openFileOf } from './uio-files.ts';
import { World } from './world.ts';

const { pageBytes } = zeroCost;
const server = vFileServer().with({ storage: memoryStorage() });

/** One workstation with so many frames. */
class Small extends World {
  constructor(frames: number, options: VMemoryOptions = {}) {
    const type = { ...zeroCost, memoryBytes: frames * pageBytes };
    super({ workstations: ['mace'], types: [type], kernel: caching(options), server });
  }

  space(): AddressSpace {
    return this.machine('mace').board('vm').space('program');
  }

  /** Runs this on the workstation. */
  here<T>(body: () => Task<T>): T {
    return this.run(() => this.on('mace', body));
  }

  file(path = 'f'): Task<PagedObject> {
    return openPages(this, 'mace', path);
  }

  metric(name: string): number {
    return this.cluster.metrics()[name] ?? 0;
  }
}

function* kindOf(body: () => Task<unknown>): Task<string> {
  try {
    yield* body();
  } catch (e) {
    if (isKernelError(e)) return e.kind;
    throw e;
  }
  return 'no error';
}

describe('a program of V', () => {
  it('finds zeros in memory of its own', () => {
    const w = new Small(16);
    const bytes = w.here(function* () {
      const space = w.space();
      space.map(0, 4, { writable: true });
      yield* space.write(pageBytes - 2, Uint8Array.of(1, 2, 3));
      return [...(yield* space.read(pageBytes - 3, 5))];
    });
    expect(bytes).toEqual([0, 1, 2, 3, 0]);
  });

  it('sees a file through a region, and what is written to the file is in the region, and the other way round', () => {
    const w = new Small(16);
    const seen = w.here(function* () {
      const f = yield* w.file();
      yield* f.write(0, pattern(2 * pageBytes, 1));
      const space = w.space();
      space.map(8, 2, { writable: true, object: { of: f, firstPage: 0, private: false } });
      const through = yield* space.read(8 * pageBytes + 5, 1);
      yield* f.write(5, Uint8Array.of(77));
      const written = yield* space.read(8 * pageBytes + 5, 1);
      yield* space.write(9 * pageBytes, Uint8Array.of(88));
      const stored = yield* f.read(pageBytes, 1);
      return [through[0] === pattern(10, 1)[5], written[0], stored[0]];
    });
    expect(seen).toEqual([true, 77, 88]);
  });

  it('has a copy of its own of a private page from the first store on, and no one else sees it', () => {
    const w = new Small(16);
    const seen = w.here(function* () {
      const f = yield* w.file();
      yield* f.write(0, new Uint8Array(2 * pageBytes).fill(1));
      const space = w.space();
      space.map(0, 2, { writable: true, object: { of: f, firstPage: 0, private: true } });
      const shared = [(yield* space.read(0, 1))[0], space.residentPages, space.touched()];
      yield* f.write(0, Uint8Array.of(2));
      const shown = (yield* space.read(0, 1))[0];
      yield* space.write(1, Uint8Array.of(9));
      yield* f.write(0, Uint8Array.of(3));
      const copy = [...(yield* space.read(0, 2))];
      return { shared, shown, copy, file: [...(yield* f.read(0, 2))], touched: space.touched() };
    });
    expect(seen).toEqual({ shared: [1, 1, []], shown: 2, copy: [2, 9], file: [3, 1], touched: [0] });
  });

  it('may not store through a file that was opened for reading, nor into a region that is not writable', () => {
    const w = new Small(16);
    const kinds = w.here(function* () {
      yield* (yield* w.file()).write(0, Uint8Array.of(1));
      const f = yield* openPages(w, 'mace', 'f', { read: true });
      const space = w.space();
      const object = { of: f, firstPage: 0, private: false };
      space.map(0, 1, { writable: false, object });
      return [
        yield* kindOf(function* () {
          space.map(1, 1, { writable: true, object });
        }),
        yield* kindOf(() => space.write(0, Uint8Array.of(1))),
        yield* kindOf(() => f.write(0, Uint8Array.of(1))),
        yield* kindOf(() => space.read(5 * pageBytes, 1)),
      ];
    });
    expect(kinds).toEqual(['permission', 'permission', 'badHandle', 'badArgument']);
  });

  it('makes a file longer by a store beyond its end, within the last page as well, and others know before it goes on', () => {
    const w = new World({ kernel: caching(), server });
    const seen = w.run(function* () {
      const [mace, thyme] = [yield* openPages(w, 'mace', 'f'), yield* openPages(w, 'thyme', 'f')];
      const sizes: number[] = [];
      yield* w.on('mace', function* (): Task<void> {
        yield* mace.write(0, Uint8Array.of(1));
        sizes.push(thyme.sizeBytes);
        yield* mace.write(100, Uint8Array.of(2));
        sizes.push(thyme.sizeBytes);
        const space = w.machine('mace').board('vm').space('program');
        space.map(0, 8, { writable: true, object: { of: mace, firstPage: 0, private: false } });
        yield* space.write(3 * pageBytes + 7, Uint8Array.of(3));
        sizes.push(thyme.sizeBytes);
      });
      const tail = yield* w.on('thyme', () => thyme.read(3 * pageBytes, 100));
      return { sizes, tail: [...tail] };
    });
    expect(seen).toEqual({ sizes: [1, 101, 3 * pageBytes + 8], tail: [0, 0, 0, 0, 0, 0, 0, 3] });
  });

  it('sees a file get shorter: what was beyond is gone, and zeros when it gets longer again', () => {
    const w = new World({ kernel: caching(), server });
    const seen = w.run(function* () {
      const [mace, thyme] = [yield* openPages(w, 'mace', 'f'), yield* openPages(w, 'thyme', 'f')];
      yield* w.on('mace', () => mace.write(0, new Uint8Array(3 * pageBytes).fill(1)));
      yield* w.on('thyme', () => thyme.truncate(pageBytes + 2));
      const cut = [mace.sizeBytes, (yield* w.on('mace', () => mace.read(pageBytes, 10))).length];
      yield* w.on('thyme', () => thyme.write(2 * pageBytes, Uint8Array.of(5)));
      const again = yield* w.on('mace', () => mace.read(pageBytes + 1, 3));
      return [...cut, ...again, (yield* w.on('mace', () => mace.read(2 * pageBytes, 9))).length];
    });
    expect(seen).toEqual([pageBytes + 2, 2, 1, 0, 0, 1]);
  });
});

describe('a small memory', () => {
  const pages = 40;

  it('holds more pages than it has frames, by a paging file that is made when it is wanted', () => {
    const w = new Small(10, { pagingDirectory: '/swap' });
    const wrong = w.here(function* () {
      const { streams, naming } = {
        streams: w.machine('mace').board('streams'),
        naming: w.machine('mace').board('naming'),
      };
      const who = { uid: 0, gid: 0, groups: [] };
      yield* streams.name(naming.view(), '/swap', 'makeDirectory', { mode: 0o777 }, who);
      const space = w.space();
      space.map(0, pages, { writable: true });
      const wrong: number[] = [];
      for (let round = 1; round <= 3; round++) {
        for (let n = 0; n < pages; n++) yield* space.write(n * pageBytes + n, Uint8Array.of(round + n));
        for (let n = 0; n < pages; n++)
          if ((yield* space.read(n * pageBytes + n, 1))[0] !== round + n) wrong.push(n);
      }
      const touched = space.touched().length;
      space.destroy();
      return [wrong, touched, w.metric('vm.pagingSlots')];
    });
    expect(wrong).toEqual([[], pages, 0]);
    expect(w.metric('vm.pagesOut')).toBeGreaterThan(pages);
    expect(w.metric('vm.residentPages')).toBe(0);
  });

  it('says so when every frame is dirty and there is no paging file', () => {
    const w = new Small(10);
    const kind = w.here(function* () {
      const space = w.space();
      space.map(0, pages, { writable: true });
      return yield* kindOf(() => space.touch(0, pages, 'write'));
    });
    expect(kind).toBe('noSpace');
  });

  it('writes dirty pages of a file back to it, and fetches them again', () => {
    const w = new Small(6);
    const equal = w.here(function* () {
      const f = yield* w.file();
      const bytes = pattern(pages * pageBytes, 3);
      yield* f.write(0, bytes);
      const back = yield* f.read(0, bytes.length);
      return back.length === bytes.length && back.every((b, i) => b === bytes[i]);
    });
    expect(equal).toBe(true);
    expect(w.metric('vm.writeBacks')).toBeGreaterThan(pages / 2);
  });

  it('is one pool: pages of files and of programs push each other out by age alone', () => {
    const w = new Small(20, { pagingDirectory: '/' });
    const faults = w.here(function* () {
      const f = yield* w.file();
      yield* f.write(0, new Uint8Array(15 * pageBytes).fill(1));
      yield* f.flush();
      const space = w.space();
      space.map(0, 15, { writable: true });
      const count = function* (body: () => Task<unknown>): Task<number> {
        const before = w.metric('vm.faults');
        yield* body();
        return w.metric('vm.faults') - before;
      };
      return [
        // All of the program's pages come, and as many of the file's go; then the other way round.
        yield* count(() => space.touch(0, 15, 'read')),
        yield* count(() => f.read(10 * pageBytes, 5 * pageBytes)),
        yield* count(() => f.read(0, 10 * pageBytes)),
        yield* count(() => space.touch(10, 5, 'read')),
        yield* count(() => space.touch(0, 5, 'read')),
      ];
    });
    expect(faults).toEqual([15, 0, 10, 0, 5]);
  });
});

describe('moves between programs', () => {
  it('read and write memory that has to be fetched first, on one host and between two', () => {
    const w = new World({ kernel: caching(), server });
    const bytes = pattern(5 * pageBytes, 7);
    for (const target of ['mace', 'thyme']) {
      const got = w.run(function* () {
        const f = yield* openPages(w, 'mace', `f-${target}`);
        const { scope } = w.machine('mace');
        const space = w.machine('mace').board('vm').space('client');
        space.map(0, 8, { writable: true, object: { of: f, firstPage: 0, private: false } });
        const client = w.ipc('mace').create({ name: 'client', scope, space });
        const other = w.machine(target).board('vm').space('server');
        other.map(4, 8, { writable: true });
        const place = w.machine(target).scope;
        const serving = w.ipc(target).create({ name: 'server', scope: place, space: other });
        place.spawn(
          'server',
          (function* (): Task<void> {
            const request = yield* serving.receive();
            yield* other.write(4 * pageBytes + 10, bytes);
            const to = yield* serving.moveTo(request, 100, 4 * pageBytes + 10, bytes.length);
            const from = yield* serving.moveFrom(request, 200, 10 * pageBytes, 50);
            yield* serving.reply(request, {
              control: new Uint8Array(32).fill(to + from),
              segment: new Uint8Array(0),
            });
          })(),
        );
        const grant = { read: true, write: true, address: 0, bytes: 8 * pageBytes };
        const asked = { control: new Uint8Array(32), segment: new Uint8Array(0) };
        const send = scope.spawn('client', client.send(serving.id, asked, { grant }));
        const { message } = (yield* send.join()) ?? { message: asked };
        const moved = yield* w.on(target, () => other.read(10 * pageBytes, 50));
        const file = yield* w.on('mace', () => f.read(100, bytes.length));
        return { code: message.control[0], moved: [...moved], file };
      });
      expect(got.code, target).toBe(0);
      expect(got.file, target).toEqual(bytes);
      expect(got.moved, target).toEqual([...bytes.subarray(100, 150)]);
    }
  });
});

describe('the cache directory', () => {
  it('answers with the memory server of its own host, and a server that dies is found again behind it', () => {
    const w = new World({ kernel: caching(), server: vFileServer() });
    const seen = w.run(() =>
      w.on('mace', function* (self) {
        const f = yield* openCachedOf(w, 'mace', self, 'f');
        const { objects } = w.machine('mace').board('vm');
        yield* f.write({ block: 0, first: 0 }, Uint8Array.of(1, 2, 3));
        w.machine('allspice').crash();
        w.machine('allspice').boot();
        yield* w.machine('allspice').running();
        const cached = [...((yield* f.read({ block: 0, first: 0 }, 10)) ?? [])];
        const plain = yield* openFileOf(w, 'mace', self, 'f', { read: true });
        const stored = [...((yield* plain.read({ block: 0, first: 0 }, 10)) ?? [])];
        const own = f.description.manager === objects?.server;
        yield* f.release();
        return { own, cached, stored, left: w.cluster.metrics()['vm.publishedFiles'] };
      }),
    );
    expect(seen).toEqual({ own: true, cached: [1, 2, 3], stored: [1, 2, 3], left: 0 });
  });

  it('lets files go that nobody has open, when their pages are wanted, and those of dead owners', () => {
    const w = new World({
      workstations: ['mace'],
      type: microvax2,
      kernel: caching({ probeSeconds: 1 }),
      server,
    });
    const left = w.run(function* () {
      for (let i = 0; i < 5; i++)
        yield* w.on('mace', function* (self) {
          const f = yield* openCachedOf(w, 'mace', self, `f${i}`);
          yield* f.write({ block: 0, first: 0 }, Uint8Array.of(i));
        });
      yield* sleep(seconds(20));
      return w.cluster.metrics()['vm.publishedFiles'];
    });
    expect(left).toBe(0);
  });
});
