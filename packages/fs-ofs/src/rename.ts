/**
 * Rename: the new name first, and then the old one goes, so that a file is never without one. Where one chunk holds both
 * names they change in one write; else the new one is on the disk before the old one is taken away there.
 *
 * A move of a directory also changes its ".." and both parents' links. A crash in between leaves a directory with two
 * parents; the repair keeps the one that ".." names.
 */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { type FileId, KernelError } from '@backplane/slots';
import type { Directory } from './directory.ts';
import type { Handle } from './handle.ts';
import { linksMax, rootNumber } from './layouts.ts';
import { isDot, type NameSteps } from './name-steps.ts';
import type { Unlinked } from './names.ts';

export class Rename {
  static {
    tasks(Rename);
  }

  readonly #steps: NameSteps;

  constructor(steps: NameSteps) {
    this.#steps = steps;
  }

  *rename(
    source: Handle,
    oldName: string,
    target: Handle,
    newName: string,
  ): Task<{ readonly file: FileId; readonly replaced?: Unlinked }> {
    yield* this.#steps.allNames.acquire();
    try {
      const moved = yield* this.#peek(source, oldName);
      const within = moved !== undefined && target !== source && (yield* this.#isWithin(target, moved));
      yield* source.lock.acquire();
      try {
        if (target !== source) yield* target.lock.acquire();
        try {
          return yield* this.#renameLocked(source, oldName, target, newName, within);
        } finally {
          if (target !== source) target.lock.release();
        }
      } finally {
        source.lock.release();
      }
    } finally {
      this.#steps.allNames.release();
    }
  }

  /** The number under a name, without keeping the directory's lock. */
  *#peek(source: Handle, name: string): Task<number | undefined> {
    yield* source.lock.acquire();
    try {
      return (yield* this.#steps.open(source)).find(name);
    } finally {
      source.lock.release();
    }
  }

  /** Is this directory, or one above it, that number? Nothing moves while we look: we have the lock of all names. */
  *#isWithin(directory: Handle, number: number): Task<boolean> {
    const { handles } = this.#steps;
    if (directory.gone) throw new KernelError('stale');
    // One that was removed is nowhere; those above any other are there.
    if (directory.descriptor.links === 0) return false;
    const seen = new Set<number>();
    let at = directory.id.number;
    for (;;) {
      if (at === number) return true;
      if (at === rootNumber) return false;
      if (seen.has(at)) throw damaged('directories in a circle');
      seen.add(at);
      const h = yield* handles.holdEntry(at);
      try {
        yield* h.lock.acquire();
        try {
          at = (yield* this.#steps.open(h)).parent;
        } finally {
          h.lock.release();
        }
      } finally {
        handles.release(h);
      }
    }
  }

  *#renameLocked(
    source: Handle,
    oldName: string,
    target: Handle,
    newName: string,
    within: boolean,
  ): Task<{ readonly file: FileId; readonly replaced?: Unlinked }> {
    const { handles } = this.#steps;
    const from = yield* this.#steps.open(source);
    const to = yield* this.#steps.parentFor(target, newName);
    if (isDot(oldName) || isDot(newName)) throw new KernelError('badArgument', 'a dot');
    const h = yield* this.#steps.entry(from, oldName);
    try {
      if (h.isDirectory && within) throw new KernelError('badArgument', 'a directory into itself');
      const thereNumber = to.find(newName);
      if (thereNumber === h.id.number) return { file: h.id };
      const there = thereNumber === undefined ? null : yield* handles.holdEntry(thereNumber);
      try {
        if (there !== null) yield* this.#mayReplace(there, h, newName, there === source);
        else if (h.isDirectory && source !== target && target.descriptor.links >= linksMax)
          throw new KernelError('tooManyLinks', newName);
        yield* this.#move({ source, from, oldName, target, to, newName, h, there });
        return there === null
          ? { file: h.id }
          : { file: h.id, replaced: { file: there.id, linksLeft: there.descriptor.links } };
      } finally {
        if (there !== null) handles.release(there);
      }
    } finally {
      handles.release(h);
    }
  }

  /** @param held the caller has the lock of what is replaced: it is the directory that the file comes out of */
  *#mayReplace(there: Handle, h: Handle, name: string, held: boolean): Task<void> {
    if (there.isDirectory && !h.isDirectory) throw new KernelError('isDirectory', name);
    if (!there.isDirectory && h.isDirectory) throw new KernelError('notDirectory', name);
    if (!there.isDirectory) return;
    // It has at least the entry that is to be moved.
    if (held) throw new KernelError('notEmpty', name);
    yield* there.lock.acquire();
    try {
      if (!(yield* this.#steps.open(there)).empty) throw new KernelError('notEmpty', name);
    } finally {
      there.lock.release();
    }
  }

  /** First the new name, then the old one goes. Where they are not in one chunk, the new one is on the disk before that. */
  *#move(m: {
    readonly source: Handle;
    readonly from: Directory;
    readonly oldName: string;
    readonly target: Handle;
    readonly to: Directory;
    readonly newName: string;
    readonly h: Handle;
    readonly there: Handle | null;
  }): Task<void> {
    const { source, from, oldName, target, to, newName, h, there } = m;
    const { synchronous } = this.#steps;
    const across = h.isDirectory && source !== target;
    const number = h.id.number;
    // What another file's name is going to lead to has to be there, or a crash would leave neither.
    if (there !== null) yield* this.#steps.writeBack.flush([h]);
    h.named.add(source).add(target);
    if (source !== target || !(yield* from.renameWithin(oldName, newName, number))) {
      if (there === null) yield* to.enter(newName, number);
      else yield* to.replace(newName, number);
      let secured = false;
      try {
        yield* this.#steps.secure(target, source === target ? [target] : [source, target]);
        secured = true;
      } finally {
        // A disk that fails: a rename that has ended with an error has not happened.
        if (!secured && there === null) yield* to.remove(newName);
        else if (!secured && there !== null) yield* to.replace(newName, there.id.number);
      }
      yield* from.remove(oldName);
    }
    if (there !== null) {
      if (there.isDirectory) this.#steps.orphan(target, there);
      else {
        there.named.add(target);
        this.#steps.links(there, -1);
      }
    }
    if (across) {
      this.#steps.links(source, -1);
      this.#steps.links(target, 1);
      yield* h.lock.acquire();
      try {
        yield* (yield* this.#steps.open(h)).replace('..', target.id.number);
      } finally {
        h.lock.release();
      }
    }
    h.descriptor.changeNs = this.#steps.writeBack.nowNs;
    this.#steps.writeBack.touch(h);
    if (!synchronous) return;
    yield* this.#steps.throughDirectory(source);
    const others = [h, ...(there === null ? [] : [there]), ...(across ? [source, target] : [])];
    for (const other of others)
      if (other === source || other === target) yield* this.#steps.through(other);
      else yield* this.#steps.writeBack.flush([other]);
  }
}
