/**
 * Names: what directories lead to.
 *
 * Locks. Who needs one directory takes its lock, and then that of a file which is no directory. Who needs two directories
 * (rename, removing one) takes the lock of all names first. So nobody who has a directory ever waits for somebody who
 * waits for it.
 *
 * What has to be on the disk when an operation returns depends on `synchronous`: then everything, in the order that leaves
 * no name without a file (the BSD way); else nothing but what would lose an old file in a rename.
 */
import { type Task, tasks } from '@backplane/engine';
import { type FileId, KernelError, type NewFile } from '@backplane/slots';
import { encodeUtf8 } from '@backplane/wire';
import { newDescriptor } from './descriptor.ts';
import { Directory } from './directory.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Handle } from './handle.ts';
import { linksMax, none } from './layouts.ts';
import type { NameSteps } from './name-steps.ts';
import type { Volume } from './volume.ts';

export interface NamesParts {
  readonly volume: Volume;
  readonly bytes: FileBytes;
  readonly steps: NameSteps;
  /** Do files begin near their directory? */
  readonly grouped: boolean;
  /** Generations begin here, so that no boot makes one that an earlier boot may have made. */
  readonly generationMin: number;
}

export interface Unlinked {
  readonly file: FileId;
  readonly linksLeft: number;
}

export class Names {
  static {
    tasks(Names);
  }

  readonly #parts: NamesParts;
  readonly #steps: NameSteps;

  constructor(parts: NamesParts) {
    this.#parts = parts;
    this.#steps = parts.steps;
  }

  *create(parent: Handle, name: string, file: NewFile): Task<FileId> {
    const { handles, synchronous } = this.#steps;
    yield* parent.lock.acquire();
    try {
      const directory = yield* this.#steps.parentFor(parent, name);
      if (directory.find(name) !== undefined) throw new KernelError('exists', name);
      if (file.type === 'directory' && parent.descriptor.links >= linksMax)
        throw new KernelError('tooManyLinks', name);
      const child = yield* this.#make(parent, file);
      let entered = false;
      try {
        if (synchronous) yield* this.#steps.through(child);
        yield* directory.enter(name, child.id.number);
        entered = true;
      } finally {
        if (!entered) yield* this.#unmake(child);
        handles.release(child);
      }
      child.named.add(parent);
      if (file.type === 'directory') parent.descriptor.links++;
      if (synchronous) yield* this.#steps.throughDirectory(parent);
      return child.id;
    } finally {
      parent.lock.release();
    }
  }

  *link(parent: Handle, name: string, h: Handle): Task<void> {
    yield* parent.lock.acquire();
    try {
      const directory = yield* this.#steps.parentFor(parent, name);
      if (h.isDirectory) throw new KernelError('isDirectory', name);
      if (directory.find(name) !== undefined) throw new KernelError('exists', name);
      yield* h.lock.acquire();
      try {
        if (h.gone) throw new KernelError('stale');
        if (h.descriptor.links >= linksMax) throw new KernelError('tooManyLinks', name);
        this.#steps.links(h, 1);
        let entered = false;
        try {
          if (this.#steps.synchronous) yield* this.#steps.through(h);
          yield* directory.enter(name, h.id.number);
          entered = true;
        } finally {
          if (!entered) this.#steps.links(h, -1);
        }
        h.named.add(parent);
      } finally {
        h.lock.release();
      }
      if (this.#steps.synchronous) yield* this.#steps.throughDirectory(parent);
    } finally {
      parent.lock.release();
    }
  }

  *unlink(parent: Handle, name: string): Task<Unlinked> {
    yield* parent.lock.acquire();
    try {
      const directory = yield* this.#steps.open(parent);
      const h = yield* this.#steps.entry(directory, name);
      try {
        if (h.isDirectory) throw new KernelError('isDirectory', name);
        yield* h.lock.acquire();
        try {
          yield* directory.remove(name);
          h.named.add(parent);
          this.#steps.links(h, -1);
          if (this.#steps.synchronous) {
            yield* this.#steps.throughDirectory(parent);
            yield* this.#steps.through(h);
          }
          return { file: h.id, linksLeft: h.descriptor.links };
        } finally {
          h.lock.release();
        }
      } finally {
        this.#steps.handles.release(h);
      }
    } finally {
      parent.lock.release();
    }
  }

  *removeDirectory(parent: Handle, name: string): Task<Unlinked> {
    const { synchronous, handles } = this.#steps;
    yield* this.#steps.allNames.acquire();
    try {
      yield* parent.lock.acquire();
      try {
        const directory = yield* this.#steps.open(parent);
        const h = yield* this.#steps.entry(directory, name);
        try {
          if (!h.isDirectory) throw new KernelError('notDirectory', name);
          yield* h.lock.acquire();
          try {
            if (!(yield* this.#steps.open(h)).empty) throw new KernelError('notEmpty', name);
            yield* directory.remove(name);
            this.#steps.orphan(parent, h);
            if (synchronous) {
              yield* this.#steps.throughDirectory(parent);
              yield* this.#steps.through(h);
            }
            return { file: h.id, linksLeft: 0 };
          } finally {
            h.lock.release();
          }
        } finally {
          handles.release(h);
        }
      } finally {
        parent.lock.release();
      }
    } finally {
      this.#steps.allNames.release();
    }
  }

  /** Frees what no name leads to. Its number is free when the disk knows. */
  *reclaim(h: Handle): Task<void> {
    const { bytes, volume } = this.#parts;
    yield* bytes.free(h);
    h.gone = true;
    h.directory = null;
    volume.pendingFiles++;
    this.#steps.writeBack.touch(h);
  }

  /** A new object without a name, held. */
  *#make(parent: Handle, file: NewFile): Task<Handle> {
    const { volume, bytes, generationMin, grouped } = this.#parts;
    const { handles, writeBack } = this.#steps;
    const isDirectory = file.type === 'directory';
    const number = volume.numbers.take(parent.id.number, isDirectory);
    if (number < 0) throw new KernelError('noSpace', 'no free descriptor');
    let h: Handle | null = null;
    let made = false;
    try {
      const last = yield* handles.lastGeneration(number);
      const generation = Math.max(last + 1, generationMin) >>> 0;
      h = handles.enter(number, newDescriptor(file, generation, writeBack.nowNs));
      h.descriptor.links = isDirectory ? 2 : 1;
      const [near = none] = parent.descriptor.direct;
      if (grouped && !isDirectory && near !== none) h.start = near;
      writeBack.touch(h);
      if (isDirectory) {
        const directory = new Directory(h, bytes);
        yield* directory.begin(parent.id.number);
        h.directory = directory;
      }
      if (file.target !== undefined) yield* bytes.write(h, 0, encodeUtf8(file.target));
      made = true;
      return h;
    } finally {
      if (!made) {
        if (h === null) volume.numbers.give(number);
        else {
          yield* this.#unmake(h);
          handles.release(h);
        }
      }
    }
  }

  /** An object that got no name after all. */
  *#unmake(h: Handle): Task<void> {
    h.descriptor.links = 0;
    yield* this.reclaim(h);
  }
}
