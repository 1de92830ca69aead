/**
 * The same operations on the host's own file system, below a directory that stands for the root. Only what a single
 * process does with paths and handles.
 *
 * On request the process does as an NFS client does for it: an open file that is to lose a name gets another one instead,
 * which is taken away at its last close (Sandberg et al., Design and Implementation of the Sun Network Filesystem, 1985).
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type FileOperation, readValue, type Value } from '@backplane/lab';

/** That of the language's first process. Modes are set explicitly, since a test's own mask may be another. */
const umask = 0o022;

export interface Outcome {
  readonly error: string | null;
  readonly value: Value;
}

interface Handle {
  readonly fd: number;
  readonly append: boolean;
  offset: number;
}

/** What the names begin with that open files get in place of lost ones. */
export const keptName = '.nfs';

/** A file that is open: how often, and the name that it got. */
interface OpenFile {
  opens: number;
  kept: string | null;
}

export class HostFiles {
  readonly #root: string;
  readonly #keepsNames: boolean;
  readonly #handles = new Map<string, Handle>();
  /** By inode. */
  readonly #open = new Map<number, OpenFile>();
  #kept = 0;

  /** @param o.keepsNames an open file that is to lose a name gets another one */
  constructor(root: string, o: { readonly keepsNames: boolean }) {
    this.#root = root;
    this.#keepsNames = o.keepsNames;
  }

  perform(o: FileOperation): Outcome {
    try {
      return { error: null, value: this.#act(o) };
    } catch (e) {
      return { error: nameOf(e), value: null };
    }
  }

  close(): void {
    for (const { fd } of this.#handles.values()) fs.closeSync(fd);
    this.#handles.clear();
  }

  #act(o: FileOperation): Value {
    switch (o.op) {
      case 'mkdir':
        fs.mkdirSync(this.#at(o.path));
        fs.chmodSync(this.#at(o.path), o.mode & ~umask);
        return null;
      case 'creat':
        fs.closeSync(fs.openSync(this.#at(o.path), 'wx'));
        fs.chmodSync(this.#at(o.path), o.mode & ~umask);
        return null;
      case 'write':
        return this.#withOpen(o.path, fs.constants.O_WRONLY, (fd) =>
          fs.writeSync(fd, filled(o.length, o.byte), 0, o.length, o.offset),
        );
      case 'append':
        return this.#withOpen(o.path, fs.constants.O_WRONLY | fs.constants.O_APPEND, (fd) =>
          fs.writeSync(fd, filled(o.length, o.byte)),
        );
      case 'read':
        return this.#withOpen(o.path, fs.constants.O_RDONLY, (fd) => read(fd, o.length, o.offset));
      case 'trunc':
        fs.truncateSync(this.#at(o.path), o.size);
        return null;
      case 'link':
        fs.linkSync(this.#followed(this.#at(o.from)), this.#at(o.to));
        return null;
      case 'rename': {
        const [from, to] = [this.#at(o.from), this.#at(o.to)];
        const moved = lookedAt(from);
        const replaced = lookedAt(to);
        if (moved?.isDirectory() === false && moved.ino !== replaced?.ino) this.#keep(to);
        fs.renameSync(from, to);
        return null;
      }
      case 'symlink':
        fs.symlinkSync(o.text.startsWith('/') ? `${this.#root}${o.text}` : o.text, this.#at(o.path));
        return null;
      case 'readlink': {
        const text = fs.readlinkSync(this.#at(o.path));
        return text.startsWith(this.#root) ? text.slice(this.#root.length) : text;
      }
      case 'unlink':
        if (!this.#keep(this.#at(o.path))) fs.unlinkSync(this.#at(o.path));
        return null;
      case 'rmdir':
        fs.rmdirSync(this.#at(o.path));
        return null;
      case 'stat':
        return stat(fs.statSync(this.#at(o.path)));
      case 'lstat':
        return stat(fs.lstatSync(this.#at(o.path)));
      case 'readdir':
        return fs.readdirSync(this.#at(o.path)).sort();
      case 'chmod':
        fs.chmodSync(this.#at(o.path), o.mode);
        return null;
      case 'utimes':
        fs.utimesSync(this.#at(o.path), o.accessSeconds, o.modifySeconds);
        return null;
      case 'access':
        fs.accessSync(
          this.#at(o.path),
          (o.how.includes('r') ? fs.constants.R_OK : 0) |
            (o.how.includes('w') ? fs.constants.W_OK : 0) |
            (o.how.includes('x') ? fs.constants.X_OK : 0),
        );
        return null;
      case 'open': {
        const has = (flag: string): boolean => o.flags.includes(flag);
        const access = has('write')
          ? has('read')
            ? fs.constants.O_RDWR
            : fs.constants.O_WRONLY
          : fs.constants.O_RDONLY;
        const flags =
          access |
          (has('create') ? fs.constants.O_CREAT : 0) |
          (has('exclusive') ? fs.constants.O_EXCL : 0) |
          (has('truncate') ? fs.constants.O_TRUNC : 0) |
          (has('append') ? fs.constants.O_APPEND : 0);
        const there = fs.existsSync(this.#at(o.path));
        const fd = fs.openSync(this.#at(o.path), flags);
        if (!there) fs.fchmodSync(fd, o.mode & ~umask);
        const { ino } = fs.fstatSync(fd);
        const opened = this.#open.get(ino) ?? { opens: 0, kept: null };
        opened.opens++;
        this.#open.set(ino, opened);
        // The language gives a name anew, and the descriptor that had it stays open unnamed.
        this.#handles.set(o.handle, { fd, append: has('append'), offset: 0 });
        return null;
      }
      case 'hread': {
        const h = this.#handle(o.handle);
        const value = read(h.fd, o.length, h.offset);
        h.offset += value.length;
        return value;
      }
      case 'hwrite': {
        const h = this.#handle(o.handle);
        const count = h.append
          ? fs.writeSync(h.fd, filled(o.length, o.byte))
          : fs.writeSync(h.fd, filled(o.length, o.byte), 0, o.length, h.offset);
        h.offset = h.append ? fs.fstatSync(h.fd).size : h.offset + count;
        return count;
      }
      case 'pread':
        return read(this.#handle(o.handle).fd, o.length, o.offset);
      case 'pwrite':
        return fs.writeSync(this.#handle(o.handle).fd, filled(o.length, o.byte), 0, o.length, o.offset);
      case 'seek': {
        const h = this.#handle(o.handle);
        h.offset =
          o.offset + (o.from === 'start' ? 0 : o.from === 'current' ? h.offset : fs.fstatSync(h.fd).size);
        return h.offset;
      }
      case 'htrunc':
        fs.ftruncateSync(this.#handle(o.handle).fd, o.size);
        return null;
      case 'hstat':
        return stat(fs.fstatSync(this.#handle(o.handle).fd));
      case 'close': {
        const { fd } = this.#handle(o.handle);
        this.#handles.delete(o.handle);
        const { ino } = fs.fstatSync(fd);
        fs.closeSync(fd);
        this.#closed(ino);
        return null;
      }
      default:
        throw new Error(`${o.op} is not carried out on the host`);
    }
  }

  #at(path: string): string {
    // Not `join`: it would take ".." away as text.
    return `${this.#root}${path}`;
  }

  /** As 4.3BSD's link(2), which follows a symbolic link in its first name. */
  #followed(path: string): string {
    return fs.lstatSync(path).isSymbolicLink() ? fs.realpathSync(path) : path;
  }

  /** Gives a file another name instead of this one. False unless it is open, and has not got one already. */
  #keep(path: string): boolean {
    const file = lookedAt(path);
    const open = this.#keepsNames && file?.isFile() ? this.#open.get(file.ino) : undefined;
    if (open === undefined || open.kept !== null) return false;
    open.kept = `${keptName}${++this.#kept}`;
    fs.renameSync(path, join(dirname(path), open.kept));
    return true;
  }

  #closed(inode: number): void {
    const file = this.#open.get(inode);
    if (file === undefined || --file.opens > 0) return;
    this.#open.delete(inode);
    // Its directory may have moved meanwhile.
    if (file.kept !== null) for (const path of found(this.#root, file.kept)) fs.unlinkSync(path);
  }

  #handle(name: string): Handle {
    const h = this.#handles.get(name);
    if (h === undefined) throw Object.assign(new Error('no such handle'), { code: 'EBADF' });
    return h;
  }

  #withOpen<T>(path: string, flags: number, use: (fd: number) => T): T {
    const fd = fs.openSync(this.#at(path), flags);
    try {
      return use(fd);
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** Undefined when there is nothing to see: the operation itself says why. */
function lookedAt(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Where a name is, below a directory. */
function found(directory: string, name: string): readonly string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return found(path, name);
    return entry.name === name ? [path] : [];
  });
}

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

function read(
  fd: number,
  length: number,
  offset: number,
): { readonly length: number; readonly runs: string } {
  const bytes = new Uint8Array(length);
  return readValue(bytes.subarray(0, fs.readSync(fd, bytes, 0, length, offset)));
}

function stat(s: fs.Stats): Value {
  const type = s.isDirectory() ? 'directory' : s.isSymbolicLink() ? 'symlink' : 'file';
  return {
    type,
    mode: (s.mode & 0o7777).toString(8),
    uid: s.uid,
    gid: s.gid,
    nlink: s.nlink,
    size: type === 'file' ? s.size : 0,
    inode: 0,
  };
}

function nameOf(e: unknown): string {
  const code = (e as { readonly code?: unknown }).code;
  if (typeof code !== 'string') throw e;
  return code;
}
