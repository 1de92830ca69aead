/** One process that carries out operations on a storage: paths, open files, and files that nobody has open any more. */
import { seconds, sleep, type Task } from '@backplane/engine';
import {
  type FileId,
  isKernelError,
  KernelError,
  type NewFile,
  type StoredAttributes,
} from '@backplane/slots';
import { decodeUtf8 } from '@backplane/wire';
import type { Files } from './files.ts';
import type { CrashOperation } from './operation.ts';
import { runs } from './runs.ts';

interface OpenFile {
  readonly file: FileId;
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  at: number;
}

/** What an operation gave back, as text that is equal for equal results, and what it was about. */
export interface Performed {
  readonly value: string;
  /** The file that was confirmed: by `fsync` one, by `sync` all. */
  readonly confirmed: FileId | 'all' | null;
}

const linksMax = 10;
export const fileKey = (f: FileId): string => `${f.number}.${f.generation}`;

export class Process {
  /** Another one after a boot; files keep their identities. */
  files: Files;
  /** Files in the order in which they were made: the first is the root. */
  readonly made: FileId[];
  readonly #open = new Map<string, OpenFile>();
  #cwd: FileId;
  #umask = 0o022;

  constructor(files: Files) {
    this.files = files;
    this.made = [files.root];
    this.#cwd = files.root;
  }

  /** @throws KernelError */
  *perform(o: CrashOperation): Task<Performed> {
    const { files } = this;
    switch (o.op) {
      case 'mkdir':
        yield* this.#create(o.path, 'directory', o.mode & ~this.#umask);
        return done();
      case 'creat':
        yield* this.#create(o.path, 'file', o.mode & ~this.#umask);
        return done();
      case 'symlink': {
        const target = o.text;
        yield* this.#create(o.path, 'symlink', 0o777, target);
        return done();
      }
      case 'write':
        yield* files.write(yield* this.#file(o.path), o.offset, filled(o.length, o.byte), 'delayed');
        return done(o.length);
      case 'append': {
        const f = yield* this.#file(o.path);
        const { sizeBytes } = yield* files.attributes(f);
        yield* files.write(f, sizeBytes, filled(o.length, o.byte), 'delayed');
        return done(o.length);
      }
      case 'read':
        return done(runs(yield* files.read(yield* this.#file(o.path), o.offset, o.length)));
      case 'trunc':
        yield* files.truncate(yield* this.#file(o.path), o.size);
        return done();
      case 'link': {
        const f = yield* this.#resolve(o.from, false);
        const { directory, name } = yield* this.#parent(o.to);
        yield* files.link(directory, name, f);
        return done();
      }
      case 'rename': {
        const from = yield* this.#parent(o.from);
        const to = yield* this.#parent(o.to);
        const { replaced } = yield* files.rename(from.directory, from.name, to.directory, to.name);
        if (replaced !== undefined) yield* this.#unnamed(replaced.file, replaced.linksLeft);
        return done(replaced?.linksLeft);
      }
      case 'unlink':
      case 'rmdir': {
        const { directory, name } = yield* this.#parent(o.path);
        const gone = yield* files.unlink(directory, name, { directory: o.op === 'rmdir' });
        yield* this.#unnamed(gone.file, gone.linksLeft);
        return done(gone.linksLeft);
      }
      case 'readlink': {
        const f = yield* this.#resolve(o.path, false);
        const { type, sizeBytes } = yield* files.attributes(f);
        if (type !== 'symlink') throw new KernelError('badArgument', o.path);
        return done(decodeUtf8(yield* files.read(f, 0, sizeBytes)));
      }
      case 'stat':
      case 'lstat':
        return done(statText(yield* files.attributes(yield* this.#resolve(o.path, o.op === 'stat'))));
      case 'readdir': {
        const entries = yield* files.entries(yield* this.#resolve(o.path, true));
        return done(entries.map((e) => e.name).join('/'));
      }
      case 'access':
        yield* this.#resolve(o.path, true);
        return done();
      case 'chdir': {
        const f = yield* this.#resolve(o.path, true);
        const { type } = yield* files.attributes(f);
        if (type !== 'directory') throw new KernelError('notDirectory', o.path);
        this.#cwd = f;
        return done();
      }
      case 'chmod':
        yield* files.setAttributes(yield* this.#resolve(o.path, true), { mode: o.mode });
        return done();
      case 'chown':
        yield* files.setAttributes(yield* this.#resolve(o.path, true), { uid: o.uid, gid: o.gid });
        return done();
      case 'utimes':
        yield* files.setAttributes(yield* this.#resolve(o.path, true), {
          accessNs: seconds(o.accessSeconds),
          modifyNs: seconds(o.modifySeconds),
        });
        return done();
      case 'umask':
        this.#umask = o.mask;
        return done();
      case 'fsync':
      case 'fdatasync': {
        const f = yield* this.#resolve(o.path, true);
        yield* files.sync(f);
        return { value: '', confirmed: f };
      }
      case 'hsync': {
        const { file } = this.#handle(o.handle);
        yield* files.sync(file);
        return { value: '', confirmed: file };
      }
      case 'sync':
        yield* files.sync();
        return { value: '', confirmed: 'all' };
      case 'checkpoint':
        // A storage that has none brings everything to the disk all the same.
        if (files.checkpoint === undefined) yield* files.sync();
        else yield* files.checkpoint();
        return { value: '', confirmed: 'all' };
      case 'clean':
        if (files.clean !== undefined) yield* files.clean();
        return done();
      case 'wait':
        yield* sleep(seconds(o.seconds));
        return done();
      case 'open':
        yield* this.#openFile(o.handle, o.path, new Set(o.flags), o.mode & ~this.#umask);
        return done();
      case 'hread': {
        const h = this.#handle(o.handle, 'read');
        const bytes = yield* files.read(h.file, h.at, o.length);
        h.at += bytes.length;
        return done(runs(bytes));
      }
      case 'hwrite': {
        const h = this.#handle(o.handle, 'write');
        if (h.append) h.at = (yield* files.attributes(h.file)).sizeBytes;
        yield* files.write(h.file, h.at, filled(o.length, o.byte), 'delayed');
        h.at += o.length;
        return done(o.length);
      }
      case 'pread':
        return done(runs(yield* files.read(this.#handle(o.handle, 'read').file, o.offset, o.length)));
      case 'pwrite':
        yield* files.write(
          this.#handle(o.handle, 'write').file,
          o.offset,
          filled(o.length, o.byte),
          'delayed',
        );
        return done(o.length);
      case 'seek': {
        const h = this.#handle(o.handle);
        const from =
          o.from === 'start' ? 0 : o.from === 'current' ? h.at : (yield* files.attributes(h.file)).sizeBytes;
        if (from + o.offset < 0) throw new KernelError('badArgument', 'before the beginning');
        h.at = from + o.offset;
        return done(h.at);
      }
      case 'htrunc':
        yield* files.truncate(this.#handle(o.handle, 'write').file, o.size);
        return done();
      case 'hstat':
        return done(statText(yield* files.attributes(this.#handle(o.handle).file)));
      case 'dup':
        this.#open.set(o.as, this.#handle(o.handle));
        return done();
      case 'close': {
        const h = this.#handle(o.handle);
        this.#open.delete(o.handle);
        const { links } = yield* files.attributes(h.file);
        yield* this.#unnamed(h.file, links);
        return done();
      }
    }
  }

  /** What was opened elsewhere, and failed there. */
  forget(handle: string): void {
    this.#open.delete(handle);
  }

  // ---- paths ----

  *#resolve(path: string, follow: boolean): Task<FileId> {
    return yield* this.#walk(this.#start(path), path, follow, 0);
  }

  /** A file's bytes are wanted. */
  *#file(path: string): Task<FileId> {
    const f = yield* this.#resolve(path, true);
    const { type } = yield* this.files.attributes(f);
    if (type === 'directory') throw new KernelError('isDirectory', path);
    return f;
  }

  *#parent(path: string): Task<{ readonly directory: FileId; readonly name: string }> {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw new KernelError('exists', path);
    return { directory: yield* this.#walk(this.#start(path), parts.join('/'), true, 0), name };
  }

  #start(path: string): FileId {
    return path.startsWith('/') ? this.files.root : this.#cwd;
  }

  *#walk(start: FileId, path: string, follow: boolean, links: number): Task<FileId> {
    const { files } = this;
    const parts = partsOf(path);
    let at = start;
    for (const [i, name] of parts.entries()) {
      const next = yield* files.lookup(at, name);
      if (next === undefined) throw new KernelError('notFound', path);
      const { type, sizeBytes } = yield* files.attributes(next);
      if (type !== 'symlink' || (i === parts.length - 1 && !follow)) {
        at = next;
        continue;
      }
      if (links === linksMax) throw new KernelError('nameLoop', path);
      const target = decodeUtf8(yield* files.read(next, 0, sizeBytes));
      at = yield* this.#walk(target.startsWith('/') ? files.root : at, target, true, links + 1);
    }
    return at;
  }

  *#create(path: string, type: NewFile['type'], mode: number, target?: string): Task<FileId> {
    const { directory, name } = yield* this.#parent(path);
    const f = yield* this.files.create(directory, name, {
      type,
      mode,
      uid: 0,
      gid: 0,
      ...(target !== undefined && { target }),
    });
    this.made.push(f);
    return f;
  }

  // ---- open files ----

  *#openFile(handle: string, path: string, flags: ReadonlySet<string>, mode: number): Task<void> {
    const { files } = this;
    let f: FileId;
    try {
      f = yield* this.#resolve(path, true);
      if (flags.has('create') && flags.has('exclusive')) throw new KernelError('exists', path);
    } catch (e) {
      if (!flags.has('create') || !isKernelError(e, 'notFound')) throw e;
      f = yield* this.#create(path, 'file', mode);
    }
    const { type } = yield* files.attributes(f);
    if (type === 'directory' && flags.has('write')) throw new KernelError('isDirectory', path);
    if (flags.has('truncate')) yield* files.truncate(f, 0);
    this.#open.set(handle, {
      file: f,
      read: flags.has('read'),
      write: flags.has('write') || flags.has('append'),
      append: flags.has('append'),
      at: 0,
    });
  }

  #handle(name: string, use?: 'read' | 'write'): OpenFile {
    const h = this.#open.get(name);
    if (h === undefined || (use !== undefined && !h[use])) throw new KernelError('badHandle', name);
    return h;
  }

  /** The file goes when neither a name nor an open is left. */
  *#unnamed(f: FileId, links: number): Task<void> {
    if (links > 0) return;
    for (const h of this.#open.values()) if (fileKey(h.file) === fileKey(f)) return;
    yield* this.files.reclaim(f);
  }
}

const partsOf = (path: string): string[] => path.split('/').filter((p) => p !== '');
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const done = (value: string | number | undefined = ''): Performed => ({
  value: String(value),
  confirmed: null,
});

const statText = (a: StoredAttributes): string =>
  [a.type, a.mode & 0o7777, a.uid, a.gid, a.links, a.type === 'directory' ? 0 : a.sizeBytes].join(' ');
