import { seconds, type Task } from '@backplane/engine';
import {
  type Authority,
  type EntityId,
  type Export,
  entityId,
  type OpenHow,
  type Waiter,
} from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import {
  descriptionOf,
  Instance,
  lockFile,
  modifyObject,
  names,
  openFile,
  queryObject,
  reopenFile,
  Senders,
  syncFunction,
} from '@backplane/uio';
import { TestHost } from '@backplane/uio/testing';
import { describe, expect, it } from 'vitest';
import { FileServer } from '../src/file-server.ts';
import { MapStorage } from './storage.ts';

const who = { uid: 0, gid: 0, groups: [] };
const readWrite: OpenHow = { read: true, write: true, create: true };

class World extends TestHost {
  readonly storage: MapStorage = new MapStorage();
  readonly server: FileServer;
  readonly senders: Senders;
  readonly woken: Waiter[] = [];
  #authority: Authority | undefined;

  constructor() {
    super();
    // boundary: the server exports to the one, wakes by the other, and asks for nothing else
    const parts = {
      storages: new Map([['/', this.storage]]),
      ipc: this.ipc,
      machine: this.machine,
      naming: { export: (e: Export) => this.#exported(e) },
      streams: { wake: (w: Waiter) => void this.woken.push(w) },
    } as never;
    this.server = new FileServer(parts, { threads: 2, probeNs: seconds(30), writes: 'delayed' });
    // boundary: as in the world of every test, a process is made and asked, no more
    this.senders = new Senders(this.ipc as never, this.machine);
    this.run(() => this.server.start('uio'));
  }

  get manager(): EntityId {
    return entityId(this.#authority ?? '');
  }

  get count(): number {
    return this.server.objects.instances.count;
  }

  *open(path: string, how: OpenHow, owner: EntityId = this.senders.owner): Task<Instance> {
    const request = { start: this.storage.root, path, how, who, machineType: 'any', owner };
    const reply = yield* this.senders.call(this.manager, openFile, request);
    if (reply.is !== 'done') throw new Error(reply.is);
    return new Instance(this.senders, descriptionOf(reply.value));
  }

  #exported(e: Export): () => void {
    this.#authority = e.authority;
    return () => {};
  }
}

describe('a file server', () => {
  it('opens by name, and describes the file', () => {
    const w = new World();
    w.run(function* () {
      const i = yield* w.open('f', readWrite);
      yield* i.append(pattern(2500, 1));
      const again = yield* w.open('f', { read: true });
      expect(again.description).toMatchObject({ manager: w.manager, blockBytes: 1024, sizeBytes: 2500 });
      expect(again.can('storage') && again.can('randomAccess') && again.can('locking')).toBe(true);
      expect(yield* again.read({ block: 2, first: 0 })).toEqual(pattern(2500, 1).subarray(2048));
      expect(yield* kindOf(w.open('g', { read: true }))).toBe('notFound');
      const cut = yield* w.open('f', { write: true, truncate: true });
      expect(cut.description.sizeBytes).toBe(0);
    });
    expect(w.count).toBe(3);
  });

  it('opens once more by the identifier of the file what its former life had open', () => {
    const w = new World();
    w.run(function* () {
      yield* (yield* w.open('f', readWrite)).append(pattern(10, 1));
      const file = yield* w.storage.lookup(w.storage.root, 'f');
      if (file === undefined) throw new Error('no file');
      const q = { owner: w.senders.owner, file, how: { read: true } };
      const opened = yield* w.senders.call(w.manager, reopenFile, q);
      const i = new Instance(w.senders, descriptionOf(opened));
      expect(yield* i.read({ block: 0, first: 0 })).toEqual(pattern(10, 1));
      const gone = { ...q, file: { ...file, number: 99 } };
      expect(yield* kindOf(w.senders.call(w.manager, reopenFile, gone))).toBe('stale');
    });
  });

  it('cuts, syncs, tells and changes attributes of what is open', () => {
    const w = new World();
    w.run(function* () {
      const i = yield* w.open('f', readWrite);
      yield* i.append(pattern(3000, 1));
      yield* i.modify(1500);
      yield* i.control(syncFunction);
      expect(yield* kindOf(i.control(77))).toBe('unsupported');
      yield* w.senders.call(w.manager, modifyObject, { change: { mode: 0o600 }, who }, i.number);
      const attributes = yield* w.senders.call(w.manager, queryObject, null, i.number);
      expect([attributes.sizeBytes, attributes.mode, w.storage.synced]).toEqual([1500, 0o600, 1]);
    });
  });

  it('keeps a file that has lost its name until its last instance is gone', () => {
    const w = new World();
    const mortal = w.process();
    w.run(function* () {
      const i = yield* w.open('f', readWrite);
      yield* w.open('f', { read: true }, mortal.id);
      const q = { start: w.storage.root, path: 'f', who, machineType: 'any', argument: null };
      yield* w.senders.call(w.manager, names.one.unlink, q as never);
      yield* i.append(pattern(10, 1));
      expect(yield* i.read({ block: 0, first: 0 })).toEqual(pattern(10, 1));
      yield* i.release();
    });
    expect(w.storage.files).toBe(1);
    mortal.destroy();
    w.after(seconds(31));
    expect([w.storage.files, w.count]).toEqual([0, 0]);
  });

  it('wakes who waits for a lock of the file when the instance that had it is gone', () => {
    const w = new World();
    w.run(function* () {
      const [a, b] = [yield* w.open('f', readWrite), yield* w.open('f', readWrite)];
      const lock = (i: Instance, ticket: number): Task<null> =>
        w.senders.call(
          w.manager,
          lockFile,
          { mode: 'exclusive', owner: 'stream', waiter: { host: w.machine.host, ticket } },
          i.number,
        );
      yield* lock(a, 1);
      expect(yield* kindOf(lock(b, 2))).toBe('wouldBlock');
      expect(w.woken).toEqual([]);
      yield* a.release();
      expect(w.woken.map((x) => x.ticket)).toEqual([2]);
      yield* lock(b, 3);
    });
  });

  it('works on as many requests at once as it has threads, and answers all', () => {
    const w = new World();
    w.run(function* () {
      const i = yield* w.open('f', readWrite);
      const all = Array.from({ length: 20 }, (_, n) =>
        w.machine.scope.spawn('writer', i.write({ block: n, first: 0 }, pattern(1024, n))),
      );
      for (const one of all) yield* one.join();
      expect((yield* i.query()).sizeBytes).toBe(20 * 1024);
    });
  });
});
