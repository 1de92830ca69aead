/**
 * Names: what directories lead to.
 *
 * An operation first brings everything that it has to know into memory, then looks whether what it came for is still
 * true, and then changes all of it at once, in memory, without waiting for anything. So no two operations on names ever
 * overlap, and none needs a lock but the move of a directory, whose way to the root must not change while it is walked.
 */

import { Mutex, type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { componentBytesMax, type FileId, KernelError, type NewFile } from '@backplane/slots';
import { encodeUtf8, utf8Length } from '@backplane/wire';
import type { Commits } from './commits.ts';
import { newDescriptor } from './descriptor.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import type { Directory, Entry } from './directory.ts';
import type { Named } from './directory-log.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Handle } from './handle.ts';
import type { Handles } from './handles.ts';
import { descriptorBytes, linksMax, none, rootNumber } from './layouts.ts';
import type { SegmentUsage } from './usage.ts';

export interface NamesParts {
  readonly handles: Handles;
  readonly bytes: FileBytes;
  readonly commits: Commits;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  /** Generations begin here, so that no boot makes one that an earlier boot may have made. */
  readonly generationMin: number;
  /** Sectors of a block of a new file. */
  readonly blockSectors: number;
}

export interface Unlinked {
  readonly file: FileId;
  readonly linksLeft: number;
}

const isDot = (name: string): boolean => name === '.' || name === '..';

export class Names {
  static {
    tasks(Names);
  }

  readonly #parts: NamesParts;
  /** Whoever moves a directory has it. */
  readonly #moving = new Mutex();

  constructor(parts: NamesParts) {
    this.#parts = parts;
  }

  /** @param parent a directory whose entries are in memory */
  create(parent: Handle, name: string, file: NewFile): FileId {
    this.mayEnter(parent, name, file.type === 'directory');
    const child = this.#make(parent, file);
    this.#created(parent, name, child);
    return child.id;
  }

  /** The same of what has content from the beginning: it has it before it has the name. */
  *createFilled(parent: Handle, name: string, file: NewFile, content: string): Task<FileId> {
    this.mayEnter(parent, name, false);
    const child = this.#make(parent, file);
    yield* this.#fill(child, parent, name, content);
    this.#created(parent, name, child);
    return child.id;
  }

  #created(parent: Handle, name: string, child: Handle): void {
    const { handles, commits } = this.#parts;
    const { descriptor: d } = child;
    this.#enter(parent, name, child, 1);
    const named = this.#named('create', parent, name, child);
    named.mode = d.mode;
    named.uid = d.uid;
    named.gid = d.gid;
    commits.named(named, plain(d.type) ? undefined : child);
    handles.release(child);
  }

  *link(parent: Handle, name: string, h: Handle): Task<void> {
    this.#mayName(parent, name);
    if (h.isDirectory) throw new KernelError('isDirectory', name);
    this.mayEnter(parent, name, false);
    if (h.gone) throw new KernelError('stale');
    if (h.descriptor.links >= linksMax) throw new KernelError('tooManyLinks', name);
    this.#count(h, 1);
    this.#enter(parent, name, h, 0);
    this.#parts.commits.named(this.#named('link', parent, name, h));
  }

  *unlink(parent: Handle, name: string, what: { readonly directory: boolean }): Task<Unlinked> {
    const h = yield* this.#entry(parent, name);
    try {
      if (what.directory && !h.isDirectory) throw new KernelError('notDirectory', name);
      if (!what.directory && h.isDirectory) throw new KernelError('isDirectory', name);
      if (h.directory?.isEmpty === false) throw new KernelError('notEmpty', name);
      directoryOf(parent).leave(name);
      this.#left(parent, h);
      this.#parts.commits.named(this.#named('unlink', parent, name, h));
      return { file: h.id, linksLeft: h.descriptor.links };
    } finally {
      this.#parts.handles.release(h);
    }
  }

  *rename(
    source: Handle,
    oldName: string,
    target: Handle,
    newName: string,
  ): Task<{ readonly file: FileId; readonly replaced?: Unlinked }> {
    this.#mayName(target, newName);
    if (isDot(oldName) || isDot(newName)) throw new KernelError('badArgument', 'a dot');
    const { handles } = this.#parts;
    const h = yield* this.#entry(source, oldName);
    try {
      if (!h.isDirectory || source === target)
        return yield* this.#rename(source, oldName, target, newName, h);
      yield* this.#moving.acquire();
      try {
        if (yield* this.#isWithin(target, h)) throw new KernelError('badArgument', 'a directory into itself');
        return yield* this.#rename(source, oldName, target, newName, h);
      } finally {
        this.#moving.release();
      }
    } finally {
      handles.release(h);
    }
  }

  /** Frees what no name leads to; the caller has its lock. */
  *reclaim(h: Handle): Task<void> {
    const { bytes, commits } = this.#parts;
    yield* bytes.free(h);
    const { file, generation } = { file: h.id.number, generation: h.id.generation };
    commits.named({ operation: 'free', file, generation, links: 0, timeNs: commits.nowNs });
    this.#unmake(h);
  }

  // ---- steps ----

  *#rename(
    source: Handle,
    oldName: string,
    target: Handle,
    newName: string,
    h: Handle,
  ): Task<{ readonly file: FileId; readonly replaced?: Unlinked }> {
    const { handles, commits } = this.#parts;
    const there =
      directoryOf(target).find(newName) === undefined ? null : yield* this.#entry(target, newName);
    try {
      // What was looked up before may have changed while the other was.
      if (directoryOf(source).find(oldName)?.file !== h.id.number || h.gone)
        throw new KernelError('notFound', oldName);
      this.#mayName(target, newName);
      if (there === h) return { file: h.id };
      const moves = h.isDirectory && source !== target;
      if (there !== null) {
        if (there.isDirectory && !h.isDirectory) throw new KernelError('isDirectory', newName);
        if (!there.isDirectory && h.isDirectory) throw new KernelError('notDirectory', newName);
        if (there.directory?.isEmpty === false) throw new KernelError('notEmpty', newName);
      } else if (moves && target.descriptor.links >= linksMax) throw new KernelError('tooManyLinks', newName);
      if (there === null && directoryOf(target).find(newName) !== undefined)
        return yield* this.#rename(source, oldName, target, newName, h);
      if (there !== null) this.#left(target, there);
      directoryOf(source).leave(oldName);
      directoryOf(target).enter(newName, h.id.number, h.id.generation);
      if (moves) {
        h.descriptor.parent = target.id.number;
        source.descriptor.links--;
        target.descriptor.links++;
      }
      this.#touched(source);
      this.#touched(target);
      this.#count(h, 0);
      commits.named(
        {
          ...this.#named('rename', target, newName, h),
          operation: 'rename',
          oldName,
          from: {
            from: source.id.number,
            fromGeneration: source.id.generation,
            fromLinks: source.descriptor.links,
            replaced: there?.id.number ?? 0,
            replacedGeneration: there?.id.generation ?? 0,
            replacedLinks: there?.descriptor.links ?? 0,
          },
        },
        there === null ? undefined : h,
      );
      return there === null
        ? { file: h.id }
        : { file: h.id, replaced: { file: there.id, linksLeft: there.descriptor.links } };
    } finally {
      if (there !== null) handles.release(there);
    }
  }

  /** What a name leads to, held, and of a directory with its entries; the name still leads there. */
  *#entry(parent: Handle, name: string): Task<Handle> {
    const { handles } = this.#parts;
    for (;;) {
      const entry = isDot(name) ? undefined : directoryOf(parent).find(name);
      if (entry === undefined) throw new KernelError('notFound', name);
      const h = yield* this.#holdEntry(entry);
      let held = false;
      try {
        if (h.isDirectory) yield* handles.open(h);
        const now = directoryOf(parent).find(name);
        held = !h.gone && now?.file === entry.file && now.generation === entry.generation;
        if (held) return h;
      } finally {
        if (!held) handles.release(h);
      }
    }
  }

  *#holdEntry(entry: Entry): Task<Handle> {
    const { handles, map } = this.#parts;
    if (!map.isAllocated(entry.file) || map.generation(entry.file) !== entry.generation)
      throw damaged(`the name "${entry.name}" leads nowhere`);
    const id = { domain: this.#domain(), number: entry.file, generation: entry.generation };
    return handles.tryHold(id) ?? (yield* handles.hold(id));
  }

  #domain(): number {
    return this.#parts.handles.domain;
  }

  /** Is this directory, or one above it, that one? */
  *#isWithin(directory: Handle, h: Handle): Task<boolean> {
    const { handles, map } = this.#parts;
    const seen = new Set<number>();
    let number = directory.id.number;
    let parent = directory.descriptor.parent;
    for (;;) {
      if (number === h.id.number) return true;
      if (number === rootNumber) return false;
      if (seen.has(number)) throw damaged('directories in a circle');
      seen.add(number);
      number = parent;
      if (!map.isNumber(number)) throw damaged('directory without a parent');
      const above = yield* handles.hold({
        domain: this.#domain(),
        number,
        generation: map.generation(number),
      });
      ({ parent } = above.descriptor);
      handles.release(above);
    }
  }

  /** @throws KernelError unless the directory takes names, and this one */
  #mayName(parent: Handle, name: string): void {
    if (parent.gone) throw new KernelError('stale');
    if (parent.descriptor.links === 0) throw new KernelError('notFound', 'a directory that was removed');
    if (name === '' || name.includes('/') || name.includes('\0')) throw new KernelError('badArgument', name);
    if (utf8Length(name) > componentBytesMax) throw new KernelError('nameTooLong', name.slice(0, 40));
  }

  /** @throws KernelError unless the directory takes this name for something new */
  mayEnter(parent: Handle, name: string, isDirectory: boolean): void {
    this.#mayName(parent, name);
    if (isDot(name) || directoryOf(parent).find(name) !== undefined) throw new KernelError('exists', name);
    if (isDirectory && parent.descriptor.links >= linksMax) throw new KernelError('tooManyLinks', name);
  }

  #make(parent: Handle, file: NewFile): Handle {
    const { map, handles, commits, generationMin, blockSectors } = this.#parts;
    const number = map.findFree();
    if (number < 0) throw new KernelError('noSpace', 'no free descriptor');
    const generation = Math.max(map.generation(number) + 1, generationMin) >>> 0;
    const d = newDescriptor(file, generation, commits.nowNs);
    if (plain(file.type)) d.blockSectors = file.type === 'file' ? blockSectors : d.blockSectors;
    if (file.type === 'directory') d.parent = parent.id.number;
    map.allocate(number, generation);
    map.accessed(number, commits.nowNs);
    const h = handles.enter(number, d);
    h.changed = true;
    commits.touch(h);
    return h;
  }

  /** The content of a new object that has no name yet; whether it may have that one is asked again afterwards. */
  *#fill(child: Handle, parent: Handle, name: string, target: string): Task<void> {
    const { bytes, handles } = this.#parts;
    let done = false;
    try {
      yield* bytes.write(child, 0, encodeUtf8(target));
      this.mayEnter(parent, name, false);
      done = true;
    } finally {
      if (!done) {
        yield* bytes.free(child);
        this.#unmake(child);
        handles.release(child);
      }
    }
  }

  #unmake(h: Handle): void {
    const { map, usage, handles, commits } = this.#parts;
    const { number } = h.id;
    if (map.sector(number) !== none) usage.remove(map.sector(number), descriptorBytes);
    map.release(number);
    h.gone = true;
    h.directory = null;
    commits.forget(h);
    handles.forget(h);
  }

  /** @param directories 1 when the name is the first of what may be a directory */
  #enter(parent: Handle, name: string, h: Handle, directories: number): void {
    directoryOf(parent).enter(name, h.id.number, h.id.generation);
    if (h.isDirectory) parent.descriptor.links += directories;
    this.#touched(parent);
  }

  /** A name of it has gone from that directory. */
  #left(parent: Handle, h: Handle): void {
    if (h.isDirectory) parent.descriptor.links--;
    this.#touched(parent);
    this.#count(h, h.isDirectory ? -h.descriptor.links : -1);
  }

  #count(h: Handle, by: number): void {
    const { commits, map } = this.#parts;
    h.descriptor.links += by;
    h.descriptor.changeNs = commits.nowNs;
    h.changed = true;
    if (h.descriptor.links === 0) map.unlinked(h.id.number, true);
    commits.touch(h);
  }

  #touched(directory: Handle): void {
    const { commits } = this.#parts;
    directory.descriptor.modifyNs = commits.nowNs;
    directory.descriptor.changeNs = commits.nowNs;
    directory.changed = true;
    commits.touch(directory);
  }

  #named<O extends Named['operation']>(
    operation: O,
    parent: Handle,
    name: string,
    h: Handle,
  ): { -readonly [K in keyof Named]: Named[K] } & { operation: O } {
    return {
      operation,
      file: h.id.number,
      generation: h.id.generation,
      links: h.descriptor.links,
      timeNs: this.#parts.commits.nowNs,
      type: h.descriptor.type,
      mode: 0,
      uid: 0,
      gid: 0,
      directory: parent.id.number,
      directoryGeneration: parent.id.generation,
      directoryLinks: parent.descriptor.links,
      name,
    };
  }
}

/** Files and directories can be made again from a log record alone. */
const plain = (type: NewFile['type']): boolean => type === 'file' || type === 'directory';

function directoryOf(h: Handle): Directory {
  if (h.directory === null) throw new KernelError(h.gone ? 'stale' : 'notDirectory');
  return h.directory;
}
