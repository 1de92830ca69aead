/** Pages of files at several hosts, when an owner or the file server dies. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { partitionRule } from '@backplane/hw-ethernet';
import { isKernelError, type PagedObject } from '@backplane/slots';
import { leaseNs } from '@backplane/uio';
import { uio } from '@backplane/uio-v';
import { vFileServer } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { caching, openPages } from './memory-world.ts';
import { World } from './world.ts';

const server = vFileServer().with({ fileCache: uio({ writes: 'through', probeSeconds: 5 }) });
const world = (): World => new World({ kernel: caching({ writeBackSeconds: 0 }), server });
const filled = (value: number, count = 100): Uint8Array => new Uint8Array(count).fill(value);

/** On a thread of this host. */
const at = <T>(w: World, host: string, body: () => Task<T>): Task<T> => w.on(host, body);
const open = (w: World, host: string): Task<PagedObject> => w.on(host, () => openPages(w, host, 'f'));

function* byteAt(w: World, host: string, object: PagedObject, offset: number): Task<number | undefined> {
  return (yield* at(w, host, () => object.read(offset, 1)))[0];
}

describe('the crash of an owner', () => {
  it('leaves what it had written back last, and its pages to others at once', () => {
    const w = world();
    const seen = w.run(function* () {
      const [mace, thyme] = [yield* open(w, 'mace'), yield* open(w, 'thyme')];
      yield* at(w, 'thyme', function* (): Task<void> {
        yield* thyme.write(0, filled(1));
        yield* thyme.flush();
        yield* thyme.write(0, filled(2));
        yield* thyme.write(5000, filled(2));
      });
      w.machine('thyme').crash();
      w.machine('thyme').boot();
      yield* w.machine('thyme').running();
      const startNs = w.cluster.engine.nowNs;
      const first = yield* byteAt(w, 'mace', mace, 0);
      const soon = w.cluster.engine.nowNs - startNs < leaseNs / 2;
      yield* at(w, 'mace', () => mace.write(0, filled(3)));
      return [first, yield* byteAt(w, 'mace', mace, 5000), soon, yield* byteAt(w, 'mace', mace, 0)];
    });
    expect(seen).toEqual([1, 0, true, 3]);
  });

  it('keeps others from its pages no longer than its lease when it is off', () => {
    const w = world();
    const [value, took] = w.run(function* () {
      const [mace, thyme] = [yield* open(w, 'mace'), yield* open(w, 'thyme')];
      yield* at(w, 'thyme', () => thyme.write(0, filled(1)));
      w.machine('thyme').crash();
      const startNs = w.cluster.engine.nowNs;
      return [yield* byteAt(w, 'mace', mace, 0), w.cluster.engine.nowNs - startNs] as const;
    });
    expect(value).toBe(0);
    expect(took).toBeLessThan(seconds(20));
  });

  it('that was only cut off costs it the stores that nobody saw, and it is told', () => {
    const w = world();
    const seen = w.run(function* () {
      const [mace, thyme] = [yield* open(w, 'mace'), yield* open(w, 'thyme')];
      yield* at(w, 'thyme', () => thyme.write(0, filled(1)));
      const heal = w.cluster.medium.addRule(
        partitionRule(w.cluster.engine, [['thyme'], ['mace', 'allspice']]),
      );
      const before = yield* byteAt(w, 'mace', mace, 0);
      yield* at(w, 'mace', () => mace.write(0, filled(3)));
      heal();
      const after = yield* byteAt(w, 'thyme', thyme, 0);
      let told = false;
      try {
        yield* at(w, 'thyme', () => thyme.flush());
      } catch (e) {
        told = isKernelError(e, 'objectLost');
      }
      return [before, after, told];
    });
    expect(seen).toEqual([0, 3, true]);
  });
});

describe('the crash of the file server', () => {
  it('loses no store of a host that lives: dirty pages are written back when it has come back, clean ones fetched again', () => {
    const w = world();
    const seen = w.run(function* () {
      const [mace, thyme] = [yield* open(w, 'mace'), yield* open(w, 'thyme')];
      yield* at(w, 'mace', function* (): Task<void> {
        yield* mace.write(0, filled(1, 20_000));
        yield* mace.flush();
        yield* mace.write(5000, filled(2));
      });
      yield* byteAt(w, 'thyme', thyme, 10_000);
      w.machine('allspice').crash();
      yield* sleep(seconds(5));
      w.machine('allspice').boot();
      yield* w.machine('allspice').running();
      const values: (number | undefined)[] = [];
      for (const offset of [5000, 10_000]) values.push(yield* byteAt(w, 'thyme', thyme, offset));
      yield* at(w, 'mace', () => mace.write(5000, filled(3)));
      yield* at(w, 'thyme', () => thyme.write(30_000, filled(4)));
      values.push(yield* byteAt(w, 'thyme', thyme, 5000), yield* byteAt(w, 'mace', mace, 30_000));
      return [...values, mace.sizeBytes];
    });
    expect(seen).toEqual([2, 1, 3, 4, 30_100]);
  });

  it('keeps nobody waiting afterwards when no pages were out', () => {
    const w = world();
    const took = w.run(function* () {
      w.machine('allspice').crash();
      w.machine('allspice').boot();
      yield* w.machine('allspice').running();
      const startNs = w.cluster.engine.nowNs;
      const mace = yield* open(w, 'mace');
      yield* at(w, 'mace', () => mace.write(0, filled(1)));
      return w.cluster.engine.nowNs - startNs;
    });
    expect(took).toBeLessThan(seconds(5));
  });
});
