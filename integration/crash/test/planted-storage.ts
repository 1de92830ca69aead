/** Bugs of a storage, for any: each breaks one promise, and nothing that shows without a crash unless it says so. */
import type { StoreUnderTest } from '@backplane/crash';
import type { Task } from '@backplane/engine';
import type { FileId, Storage, StoredAttributes } from '@backplane/slots';
import { isKernelError } from '@backplane/slots';
import { withStorage } from './wrapped.ts';

const key = (f: FileId): string => `${f.number}.${f.generation}`;

const bugs: Readonly<Record<string, (s: Storage) => Partial<Storage>>> = {
  'fsync does nothing': (s) => ({
    *sync(f?: FileId) {
      if (f === undefined) yield* s.sync();
    },
  }),
  'sync does nothing': (s) => ({
    *sync(f?: FileId) {
      if (f !== undefined) yield* s.sync(f);
    },
    *checkpoint() {},
  }),
  'sync returns one operation too early': (s) => {
    let late: { readonly f: FileId | undefined } | null = null;
    const catchUp = function* () {
      const due = late;
      late = null;
      if (due !== null) yield* s.sync(due.f);
    };
    return {
      *sync(f?: FileId) {
        yield* catchUp();
        late = { f };
      },
      *lookup(directory, name) {
        yield* catchUp();
        return yield* s.lookup(directory, name);
      },
    };
  },
  'a name that is replaced is removed first': (s) => ({
    *rename(from, oldName, to, newName) {
      const there = yield* s.lookup(to, newName);
      const moved = yield* s.lookup(from, oldName);
      if (there === undefined || moved === undefined) return yield* s.rename(from, oldName, to, newName);
      const directory = (yield* s.attributes(there)).type === 'directory';
      if (directory !== ((yield* s.attributes(moved)).type === 'directory'))
        return yield* s.rename(from, oldName, to, newName);
      const { linksLeft } = yield* s.unlink(to, newName, { directory });
      yield* s.sync(to);
      const { file } = yield* s.rename(from, oldName, to, newName);
      return { file, replaced: { file: there, linksLeft } };
    },
  }),
  'the old name goes before the new one comes': (s) => ({
    *rename(from, oldName, to, newName) {
      const f = yield* s.lookup(from, oldName);
      const there = yield* s.lookup(to, newName);
      if (f === undefined || there !== undefined || (yield* s.attributes(f)).type === 'directory')
        return yield* s.rename(from, oldName, to, newName);
      yield* s.unlink(from, oldName, { directory: false });
      yield* s.sync();
      yield* s.link(to, newName, f);
      return { file: f };
    },
  }),
  'the size grows before the bytes are there': (s) => ({
    *write(f, at, bytes, when) {
      const { sizeBytes } = yield* s.attributes(f);
      if (at + bytes.length > sizeBytes) {
        yield* s.truncate(f, at + bytes.length);
        yield* s.sync(f);
      }
      yield* s.write(f, at, bytes, when);
    },
  }),
  'a write goes in two parts, with the disk between': (s) => ({
    *write(f, at, bytes, when) {
      const half = bytes.length >> 1;
      yield* s.write(f, at, bytes.subarray(0, half), when);
      yield* s.sync(f);
      // What is yet to come is written as garbage first.
      yield* s.write(f, at + half, new Uint8Array(bytes.length - half).fill(0x21), when);
      yield* s.sync(f);
      yield* s.write(f, at + half, bytes.subarray(half), when);
    },
  }),
  'blocks are used again before their file is gone': (s) => ({
    *unlink(directory, name, what) {
      const f = yield* s.lookup(directory, name);
      if (f !== undefined && !what.directory) {
        const { type, sizeBytes, links } = yield* s.attributes(f);
        if (type === 'file' && links === 1 && sizeBytes > 0) {
          yield* s.write(f, 0, new Uint8Array(Math.min(sizeBytes, 4096)).fill(0x23), 'delayed');
          yield* s.sync(f);
        }
      }
      return yield* s.unlink(directory, name, what);
    },
  }),
  'a file that is cut shows its old bytes when it grows': (s) => {
    const cut = new Map<string, Uint8Array>();
    return {
      *truncate(f, sizeBytes) {
        const { sizeBytes: before } = yield* s.attributes(f);
        if (sizeBytes < before) cut.set(key(f), yield* s.read(f, 0, before));
        yield* s.truncate(f, sizeBytes);
        const old = cut.get(key(f));
        if (sizeBytes > before && old !== undefined)
          yield* s.write(f, before, old.subarray(before, sizeBytes), 'delayed');
      },
    };
  },
  'a hole is not filled with zeros': (s) => ({
    *write(f, at, bytes, when) {
      const { sizeBytes } = yield* s.attributes(f);
      if (at > sizeBytes) yield* s.write(f, sizeBytes, new Uint8Array(at - sizeBytes).fill(0x5a), when);
      yield* s.write(f, at, bytes, when);
    },
  }),
  'attributes stay in memory': (s) => {
    const changed = new Map<string, Partial<StoredAttributes>>();
    return {
      *setAttributes(f, change) {
        yield* s.attributes(f);
        changed.set(key(f), { ...changed.get(key(f)), ...change });
      },
      *attributes(f) {
        return { ...(yield* s.attributes(f)), ...changed.get(key(f)) };
      },
    };
  },
  'links are counted wrongly after recovery': (s) => {
    const old = new Set<string>();
    let counting = false;
    return {
      *recover() {
        yield* s.recover();
        counting = true;
      },
      *attributes(f) {
        const a = yield* s.attributes(f);
        const wrong = counting && a.type === 'file' && a.links > 1 && !old.has(key(f));
        return wrong ? { ...a, links: a.links - 1 } : a;
      },
      *link(directory, name, f) {
        old.add(key(f));
        yield* s.link(directory, name, f);
      },
    };
  },
  'recovery loses the first name of the root': (s) => ({
    *recover() {
      yield* s.recover();
      const [first] = yield* s.entries(s.root);
      if (first === undefined) return;
      const { type } = yield* s.attributes(first.file);
      if (type !== 'directory') yield* s.unlink(s.root, first.name, { directory: false });
    },
  }),
  'recovery makes a directory for what it found': (s) => ({
    *recover() {
      yield* s.recover();
      if ((yield* s.entries(s.root)).length === 0) return;
      const kept = { type: 'directory', mode: 0o700, uid: 0, gid: 0 } as const;
      if ((yield* s.lookup(s.root, 'lost+found')) === undefined) yield* s.create(s.root, 'lost+found', kept);
    },
  }),
  'recovery gives the files of the root to nobody': (s) => ({
    *recover() {
      yield* s.recover();
      for (const { file } of yield* s.entries(s.root)) yield* s.setAttributes(file, { uid: 65_534 });
    },
  }),
  'recovery fails where there are three files': (s) => ({
    *recover() {
      yield* s.recover();
      if ((yield* s.entries(s.root)).length > 2) throw new Error('an index is out of range');
    },
  }),
  'a full disk is kept secret': (s) => ({
    *write(f, at, bytes, when) {
      try {
        yield* s.write(f, at, bytes, when);
      } catch (e) {
        if (!isKernelError(e, 'noSpace')) throw e;
      }
    },
  }),
  'what finds no room forgets a mode': (s) => {
    const orForget = function* <T>(f: FileId, body: Task<T>): Task<T> {
      try {
        return yield* body;
      } catch (e) {
        if (isKernelError(e, 'noSpace')) yield* s.setAttributes(f, { mode: 0 });
        throw e;
      }
    };
    return {
      write: (f, at, bytes, when) => orForget(f, s.write(f, at, bytes, when)),
      create: (directory, name, file) => orForget(directory, s.create(directory, name, file)),
    };
  },
  'a directory that cannot be read is empty': (s) => ({
    *entries(directory) {
      try {
        return yield* s.entries(directory);
      } catch (e) {
        if (!isKernelError(e, 'ioError')) throw e;
        return [];
      }
    },
  }),
  'bytes that cannot be read are zeros': (s) => ({
    *read(f, at, count) {
      try {
        return yield* s.read(f, at, count);
      } catch (e) {
        if (!isKernelError(e, 'ioError')) throw e;
        return new Uint8Array(count);
      }
    },
  }),
  'a full disk ends the kernel': (s) => ({
    *create(directory, name, file) {
      try {
        return yield* s.create(directory, name, file);
      } catch (e) {
        if (isKernelError(e, 'noSpace')) throw new Error('cannot happen');
        throw e;
      }
    },
    *write(f, at, bytes, when) {
      try {
        yield* s.write(f, at, bytes, when);
      } catch (e) {
        // The disk is filled up by a larger file first.
        if (isKernelError(e, 'noSpace') && at < 100_000) throw new Error('cannot happen');
        throw e;
      }
    },
  }),
};

export const plantedInStorage = (store: StoreUnderTest): readonly StoreUnderTest[] =>
  Object.entries(bugs).map(([name, wrap]) => withStorage(store, name, wrap));
