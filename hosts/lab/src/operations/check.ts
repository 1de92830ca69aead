/** Does a condition hold? Asked by a process of its own, as the super user. */
import type { Task } from '@backplane/engine';
import { type Attributes, type Calls, isKernelError } from '@backplane/slots';
import type { Condition, Content } from './operation.ts';

/** Why it does not hold, or null. */
export function* whyNot(sys: Calls, c: Condition): Task<string | null> {
  const a = yield* attributes(sys, c.path);
  if (c.is === 'absent') return a === null ? null : `${c.path} exists`;
  if (a === null) return `${c.path} does not exist`;
  switch (c.is) {
    case 'exists':
      return null;
    case 'count': {
      const { length } = yield* sys.entries(c.path);
      return length === c.count ? null : `${c.path} has ${length} entries`;
    }
    case 'link': {
      const text = a.type === 'symlink' ? yield* sys.readlink(c.path) : null;
      return text === c.text ? null : `${c.path} leads to ${text ?? 'nothing'}`;
    }
    case 'content': {
      const bytes = a.type === 'file' ? yield* contentOf(sys, c.path, a.sizeBytes) : new Uint8Array(0);
      for (const content of c.all) {
        const why =
          content.is === 'same-inode' ? yield* sameInode(sys, a, content.path) : wrong(a, bytes, content);
        if (why !== null) return `${c.path}: ${why}`;
      }
      return null;
    }
  }
}

function wrong(
  a: Attributes,
  bytes: Uint8Array,
  c: Exclude<Content, { readonly is: 'same-inode' }>,
): string | null {
  const all = (from: number, to: number, byte: number): string | null => {
    for (let i = from; i < to; i++)
      if (bytes[i] !== byte) return `byte ${i} is ${bytes[i] ?? 'beyond the end'}, not ${byte}`;
    return null;
  };
  switch (c.is) {
    case 'size':
      return a.sizeBytes === c.size ? null : `its size is ${a.sizeBytes}`;
    case 'byte':
      return all(0, bytes.length, c.byte);
    case 'range':
      return all(c.from, c.to, c.byte);
    case 'prefix':
      return all(0, c.length, c.byte);
    case 'nlink':
      return a.links === c.count ? null : `it has ${a.links} links`;
    case 'mode':
      return (a.mode & 0o7777) === c.mode ? null : `its mode is ${(a.mode & 0o7777).toString(8)}`;
  }
}

function* sameInode(sys: Calls, a: Attributes, path: string): Task<string | null> {
  const other = yield* attributes(sys, path);
  return other?.identity === a.identity ? null : `it is not the same object as ${path}`;
}

function* attributes(sys: Calls, path: string): Task<Attributes | null> {
  try {
    return yield* sys.stat(path, { follow: false });
  } catch (e) {
    if (isKernelError(e, 'notFound') || isKernelError(e, 'notDirectory')) return null;
    throw e;
  }
}

function* contentOf(sys: Calls, path: string, sizeBytes: number): Task<Uint8Array> {
  const fd = yield* sys.open(path, { read: true });
  try {
    return yield* sys.readAt(fd, 0, sizeBytes);
  } finally {
    yield* sys.close(fd);
  }
}
