/** What the operations on names have in common: directories opened, entries found, and both brought to the disk. */
import { Mutex, type Task, tasks } from '@backplane/engine';
import { componentBytesMax, KernelError } from '@backplane/slots';
import { utf8Length } from '@backplane/wire';
import { Directory } from './directory.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Handle } from './handle.ts';
import type { Handles } from './handles.ts';
import { Batch, type WriteBack } from './write-back.ts';

export const isDot = (name: string): boolean => name === '.' || name === '..';

export class NameSteps {
  static {
    tasks(NameSteps);
  }

  readonly handles: Handles;
  readonly writeBack: WriteBack;
  /** Does every operation bring what it changed to the disk? */
  readonly synchronous: boolean;
  /** Whoever needs two directories has it. */
  readonly allNames: Mutex = new Mutex();
  readonly #bytes: FileBytes;

  constructor(handles: Handles, bytes: FileBytes, writeBack: WriteBack, synchronous: boolean) {
    this.handles = handles;
    this.#bytes = bytes;
    this.writeBack = writeBack;
    this.synchronous = synchronous;
  }

  /** The directory's entries in memory; the caller has its lock. @throws KernelError `stale`, `notDirectory`, `ioError` */
  *open(h: Handle): Task<Directory> {
    if (h.gone) throw new KernelError('stale');
    if (!h.isDirectory) throw new KernelError('notDirectory');
    if (h.directory === null) {
      const directory = new Directory(h, this.#bytes);
      yield* directory.load();
      h.directory = directory;
    }
    return h.directory;
  }

  /** A directory that takes a new entry of this name. */
  *parentFor(parent: Handle, name: string): Task<Directory> {
    const directory = yield* this.open(parent);
    if (parent.descriptor.links === 0) throw new KernelError('notFound', 'a directory that was removed');
    if (name === '' || name.includes('/') || name.includes('\0')) throw new KernelError('badArgument', name);
    if (utf8Length(name) > componentBytesMax) throw new KernelError('nameTooLong', name.slice(0, 40));
    return directory;
  }

  /** What a name leads to, held; "." and ".." are nobody's to take away. */
  *entry(directory: Directory, name: string): Task<Handle> {
    const number = isDot(name) ? undefined : directory.find(name);
    if (number === undefined) throw new KernelError('notFound', name);
    return yield* this.handles.holdEntry(number);
  }

  /** Counts names that came or went. */
  links(h: Handle, by: number): void {
    h.descriptor.links += by;
    h.descriptor.changeNs = this.writeBack.nowNs;
    this.writeBack.touch(h);
  }

  /** The last name of a directory has gone from its parent. */
  orphan(parent: Handle, h: Handle): void {
    h.named.add(parent);
    this.links(h, -h.descriptor.links);
    this.links(parent, -1);
  }

  // ---- to the disk ----

  /** The file's own part of what must be on the disk; the caller has its lock. */
  *through(h: Handle): Task<void> {
    const batch = new Batch();
    yield* this.writeBack.stage(h, batch);
    yield* this.writeBack.land(batch);
  }

  /** The entries of a directory, and its descriptor where the disk could not find them without. */
  *throughDirectory(h: Handle): Task<void> {
    if (this.writeBack.knows(h)) yield* h.object.flush();
    else yield* this.through(h);
  }

  /**
   * Brings a file and the names that lead to it to the disk; the caller has the locks of `held` and no others.
   *
   * Up the tree: a directory that is new itself has to be found, too.
   */
  *secure(h: Handle, held: readonly Handle[]): Task<void> {
    const done = new Set<Handle>();
    const waiting = [h];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (done.has(next)) continue;
      done.add(next);
      const named = [...next.named];
      waiting.push(...named);
      // Of a directory whose descriptor the disk knows well enough, the entries will do.
      if (next !== h && this.writeBack.knows(next)) yield* next.object.flush();
      else if (held.includes(next)) yield* this.through(next);
      else yield* this.writeBack.flush([next]);
    }
    // A directory that has changed again meanwhile may have lost a name that the disk still has.
    for (const d of done)
      for (const other of [...d.named])
        if (done.has(other) && other.object.dirtyBlocks === 0) d.named.delete(other);
  }
}
