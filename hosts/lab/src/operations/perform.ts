/** One operation through system calls: what each word of the language means. */
import { seconds, type Task } from '@backplane/engine';
import { type Calls, type Fd, KernelError } from '@backplane/slots';
import type { FileOperation } from './operation.ts';
import { type Inodes, readValue, type Value } from './values.ts';

/** What a process of the language has beside the kernel's: names for its descriptors. */
export interface Handles {
  readonly fds: Map<string, Fd>;
}

/** `fork` and `exit` are the executor's: they make and end processes. */
export type PlainOperation = Exclude<FileOperation, { readonly op: 'fork' | 'exit' }>;

export function* perform(sys: Calls, handles: Handles, o: PlainOperation, inodes: Inodes): Task<Value> {
  switch (o.op) {
    case 'mkdir':
      yield* sys.mkdir(o.path, o.mode);
      return null;
    case 'creat':
      yield* sys.close(yield* sys.open(o.path, { write: true, create: true, exclusive: true, mode: o.mode }));
      return null;
    case 'write':
      return yield* withOpen(sys, o.path, { write: true }, (fd) =>
        sys.writeAt(fd, o.offset, filled(o.length, o.byte)),
      );
    case 'append':
      return yield* withOpen(sys, o.path, { write: true, append: true }, (fd) =>
        sys.write(fd, filled(o.length, o.byte)),
      );
    case 'read':
      return readValue(
        yield* withOpen(sys, o.path, { read: true }, (fd) => sys.readAt(fd, o.offset, o.length)),
      );
    case 'trunc':
      yield* sys.truncate(o.path, o.size);
      return null;
    case 'link':
      yield* sys.link(o.from, o.to);
      return null;
    case 'rename':
      yield* sys.rename(o.from, o.to);
      return null;
    case 'symlink':
      yield* sys.symlink(o.text, o.path);
      return null;
    case 'readlink':
      return yield* sys.readlink(o.path);
    case 'unlink':
      yield* sys.unlink(o.path);
      return null;
    case 'rmdir':
      yield* sys.rmdir(o.path);
      return null;
    case 'stat':
      return inodes.stat(yield* sys.stat(o.path));
    case 'lstat':
      return inodes.stat(yield* sys.stat(o.path, { follow: false }));
    case 'readdir':
      return yield* sys.entries(o.path);
    case 'chmod':
      yield* sys.setAttributes(o.path, { mode: o.mode });
      return null;
    case 'chown':
      yield* sys.setAttributes(o.path, { uid: o.uid, gid: o.gid });
      return null;
    case 'utimes':
      yield* sys.setAttributes(o.path, {
        accessNs: seconds(o.accessSeconds),
        modifyNs: seconds(o.modifySeconds),
      });
      return null;
    case 'access':
      yield* sys.access(o.path, {
        read: o.how.includes('r'),
        write: o.how.includes('w'),
        execute: o.how.includes('x'),
      });
      return null;
    case 'fsync':
    case 'fdatasync':
      yield* withOpen(sys, o.path, { read: true }, (fd) => sys.sync(fd));
      return null;
    case 'sync':
      yield* sys.syncAll();
      return null;
    case 'chdir':
      yield* sys.chdir(o.path);
      return null;
    case 'open': {
      const how = Object.fromEntries(o.flags.map((flag) => [flag, true]));
      handles.fds.set(o.handle, yield* sys.open(o.path, { ...how, mode: o.mode }));
      return null;
    }
    case 'hread':
      return readValue(yield* sys.read(fdOf(handles, o.handle), o.length));
    case 'hwrite':
      return yield* sys.write(fdOf(handles, o.handle), filled(o.length, o.byte));
    case 'pread':
      return readValue(yield* sys.readAt(fdOf(handles, o.handle), o.offset, o.length));
    case 'pwrite':
      return yield* sys.writeAt(fdOf(handles, o.handle), o.offset, filled(o.length, o.byte));
    case 'seek':
      return yield* sys.seek(fdOf(handles, o.handle), o.offset, o.from);
    case 'htrunc':
      yield* sys.truncateOpen(fdOf(handles, o.handle), o.size);
      return null;
    case 'hstat':
      return inodes.stat(yield* sys.statOpen(fdOf(handles, o.handle)));
    case 'hsync':
      yield* sys.sync(fdOf(handles, o.handle));
      return null;
    case 'close': {
      const fd = fdOf(handles, o.handle);
      handles.fds.delete(o.handle);
      yield* sys.close(fd);
      return null;
    }
    case 'dup':
      handles.fds.set(o.as, yield* sys.dup(fdOf(handles, o.handle)));
      return null;
    case 'lock':
      yield* sys.lock(fdOf(handles, o.handle), o.mode, { wait: false });
      return null;
    case 'setuid':
      yield* sys.setUser(o.uid, o.gid);
      return null;
    case 'umask':
      yield* sys.umask(o.mask);
      return null;
  }
}

function* withOpen<T>(
  sys: Calls,
  path: string,
  how: Parameters<Calls['open']>[1],
  use: (fd: Fd) => Task<T>,
): Task<T> {
  const fd = yield* sys.open(path, how);
  try {
    return yield* use(fd);
  } finally {
    yield* sys.close(fd);
  }
}

function fdOf(handles: Handles, name: string): Fd {
  const fd = handles.fds.get(name);
  if (fd === undefined) throw new KernelError('badHandle', name);
  return fd;
}

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
