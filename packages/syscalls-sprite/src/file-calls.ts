/** The calls on paths and descriptors. Each is a routine from process and argument to result. */
import type { Task } from '@backplane/engine';
import type { Descriptors } from '@backplane/file-service';
import { isKernelError, KernelError, type OpenHow, type Stream } from '@backplane/slots';
import type { Handlers, Kernel } from './kernel.ts';

type FileCall = Exclude<keyof Handlers, 'compute' | 'sleep' | 'time' | 'spawn' | 'wait' | 'exit'>;

export const fileCalls = (k: Kernel): Pick<Handlers, FileCall> => ({
  *open(p, { path, how }) {
    p.descriptors.demandRoom();
    return p.descriptors.add(yield* k.streams.open(p.view, path, masked(how, p.umask), p.who));
  },
  *close(p, { fd }) {
    yield* k.streams.close(p.descriptors.remove(fd));
    return null;
  },
  *read(p, { fd, count }) {
    return yield* k.streams.read(p.descriptors.get(fd), demandCount(count));
  },
  *write(p, { fd, bytes }) {
    return yield* k.streams.write(p.descriptors.get(fd), bytes);
  },
  *readAt(p, { fd, at, count }) {
    return yield* k.streams.readAt(p.descriptors.get(fd), at, demandCount(count));
  },
  *writeAt(p, { fd, at, bytes }) {
    return yield* k.streams.writeAt(p.descriptors.get(fd), at, bytes);
  },
  *seek(p, { fd, to, from }) {
    return yield* k.streams.seek(p.descriptors.get(fd), to, from);
  },
  *truncateOpen(p, { fd, sizeBytes }) {
    const { object } = p.descriptors.get(fd);
    if (object.how.write !== true) throw new KernelError('badArgument', 'not open for writing');
    yield* object.truncate(demandCount(sizeBytes));
    return null;
  },
  *statOpen(p, { fd }) {
    return yield* p.descriptors.get(fd).object.attributes();
  },
  *setAttributesOpen(p, { fd, change }) {
    yield* p.descriptors.get(fd).object.setAttributes(change, p.who);
    return null;
  },
  *sync(p, { fd }) {
    yield* p.descriptors.get(fd).object.sync();
    return null;
  },
  *dup(p, { fd, as }) {
    const stream = p.descriptors.get(fd);
    if (as === null) {
      p.descriptors.demandRoom();
      return p.descriptors.add(k.streams.share(stream));
    }
    if (as === fd) return fd;
    const before = p.descriptors.put(as, k.streams.share(stream));
    if (before !== null) yield* k.streams.close(before);
    return as;
  },
  *lock(p, { fd, mode, wait }) {
    yield* k.streams.lock(p.descriptors.get(fd), mode, { wait });
    return null;
  },
  *select(p, { wanted, timeoutNs }) {
    const streams = wanted.map((w) => ({ stream: p.descriptors.get(w.fd), read: w.read, write: w.write }));
    return yield* k.streams.select(streams, timeoutNs);
  },
  *pipe(p) {
    p.descriptors.demandRoom(2);
    const ends = k.streams.pair('pipe');
    return { read: p.descriptors.add(ends.read), write: p.descriptors.add(ends.write) };
  },

  *stat(p, { path, follow }) {
    return yield* k.streams.name(p.view, path, 'stat', { follow }, p.who);
  },
  *access(p, { path, ...need }) {
    return yield* k.streams.name(p.view, path, 'access', need, p.who);
  },
  *truncate(p, { path, sizeBytes }) {
    const stream = yield* k.streams.open(p.view, path, { write: true }, p.who);
    try {
      yield* stream.object.truncate(demandCount(sizeBytes));
    } finally {
      yield* k.streams.close(stream);
    }
    return null;
  },
  *link(p, { existing, added }) {
    yield* k.streams.nameTwo(p.view, 'link', existing, added, p.who);
    return null;
  },
  *unlink(p, { path }) {
    return yield* k.streams.name(p.view, path, 'unlink', {}, p.who);
  },
  *rename(p, { from, to }) {
    yield* k.streams.nameTwo(p.view, 'rename', from, to, p.who);
    return null;
  },
  *symlink(p, { target, path }) {
    return yield* k.streams.name(p.view, path, 'makeLink', { target, remote: false }, p.who);
  },
  *remoteLink(p, { target, path }) {
    if (p.who.uid !== 0)
      throw new KernelError('notOwner', 'only the super user marks another server’s domain');
    return yield* k.streams.name(p.view, path, 'makeLink', { target, remote: true }, p.who);
  },
  *readlink(p, { path }) {
    return yield* k.streams.name(p.view, path, 'readLink', {}, p.who);
  },
  *mkdir(p, { path, mode }) {
    return yield* k.streams.name(p.view, path, 'makeDirectory', { mode: mode & 0o7777 & ~p.umask }, p.who);
  },
  *rmdir(p, { path }) {
    return yield* k.streams.name(p.view, path, 'removeDirectory', {}, p.who);
  },
  *entries(p, { path }): Task<readonly string[]> {
    const names: string[] = [];
    for (;;) {
      const page = yield* k.streams.name(p.view, path, 'entries', { after: names.at(-1) ?? '' }, p.who);
      names.push(...page.names);
      if (page.complete) return names;
    }
  },
  *setAttributes(p, { path, change, follow }) {
    return yield* k.streams.name(p.view, path, 'setAttributes', { change, follow }, p.who);
  },
  *chdir(p, { path }) {
    yield* k.streams.chdir(p.view, path, p.who);
    return null;
  },
  *workingDirectory(p) {
    return p.view.workingDirectory;
  },
  *umask(p, { mask }) {
    const before = p.umask;
    p.umask = mask & 0o777;
    return before;
  },
  *setUser(p, who) {
    if (p.who.uid !== 0 && (who.uid !== p.who.uid || who.gid !== p.who.gid))
      throw new KernelError('notOwner');
    p.who = who;
    return null;
  },
  *user(p) {
    return p.who;
  },
  *syncAll() {
    yield* k.streams.syncAll();
    return null;
  },
});

/** Closes everything; a descriptor whose close fails is closed all the same, and nobody is left to be told. */
export function* closeAll(k: Kernel, descriptors: Descriptors<Stream>): Task<void> {
  for (const [fd] of [...descriptors.all()]) {
    try {
      yield* k.streams.close(descriptors.remove(fd));
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }
}

const masked = (how: OpenHow, umask: number): OpenHow =>
  how.create === true ? { ...how, mode: (how.mode ?? 0o666) & 0o7777 & ~umask } : how;

function demandCount(n: number): number {
  if (!Number.isSafeInteger(n) || n < 0) throw new KernelError('badArgument', String(n));
  return n;
}
