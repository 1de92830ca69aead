/** Who has pages of a file, as its server knows it, and the order in which the file's pages and its size are worked on. */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import type { EntityId, FileId } from '@backplane/slots';
import { unitBytes } from '@backplane/uio';

/** One open of a file. */
export interface OpenFile {
  readonly file: FileId;
  /** Bits of `UioAttribute`. */
  readonly attributes: number;
}

/** What a holder may do with one of its pages, and since when. */
export interface HeldPage {
  readonly mode: 'shared' | 'owned';
  readonly version: number;
}

/** A host's memory server, with what it has of one file. */
export interface Holder {
  readonly entity: EntityId;
  /** Its number for the file. */
  readonly object: number;
  readonly pageBytes: number;
  /** Of the file, that go by its name. */
  readonly opens: Set<OpenFile>;
  /** By number. A shared one may be gone at the holder: it gives them up without a word. */
  readonly pages: Map<number, HeldPage>;
  heardNs: number;
}

/** Those of the holder's pages that overlap the range. */
export function pagesIn({ pages, pageBytes }: Holder, at: number, bytes: number): [number, HeldPage][] {
  const first = Math.floor(at / pageBytes);
  if (bytes === Number.POSITIVE_INFINITY) return [...pages].filter(([n]) => n >= first);
  const found: [number, HeldPage][] = [];
  for (let n = first; n * pageBytes < at + bytes; n++) {
    const has = pages.get(n);
    if (has !== undefined) found.push([n, has]);
  }
  return found;
}

/**
 * A file of which somebody has pages, or may be about to.
 *
 *   an operation on a page     shares the file, and is alone with the page's unit
 *   one that changes the size  is alone with the file
 *   one without pages          is not ordered at all while nobody has pages (`plain`); who wants some waits until it is over
 */
export class HeldFile {
  static {
    tasks(HeldFile);
  }

  readonly file: FileId;
  readonly holders: Set<Holder> = new Set();
  /** While there are holders. */
  sizeBytes = 0;
  /** Operations that know this entry. */
  users = 0;
  #plain = 0;
  #sharing = 0;
  #alone = false;
  #wantAlone = 0;
  readonly #units = new Set<number>();
  readonly #changed: WaitQueue = new WaitQueue();

  constructor(file: FileId) {
    this.file = file;
  }

  /** One host may have pages under several numbers, as if it were several. */
  holder(entity: EntityId, object: number): Holder | undefined {
    for (const h of this.holders) if (h.entity === entity && h.object === object) return h;
    return undefined;
  }

  *unordered<R>(operation: () => Task<R>): Task<R> {
    this.#plain++;
    try {
      return yield* operation();
    } finally {
      this.#plain--;
      this.#changed.wakeAll();
    }
  }

  /** @param bytes of the file that it is about, from `at` on */
  *onPages<R>(at: number, bytes: number, operation: () => Task<R>): Task<R> {
    while (this.#alone || this.#wantAlone > 0) yield* this.#changed.wait();
    this.#sharing++;
    const taken: number[] = [];
    try {
      // In ascending order, like everybody.
      for (let unit = Math.floor(at / unitBytes); unit * unitBytes < at + bytes; unit++) {
        while (this.#units.has(unit)) yield* this.#changed.wait();
        this.#units.add(unit);
        taken.push(unit);
      }
      return yield* operation();
    } finally {
      for (const unit of taken) this.#units.delete(unit);
      this.#sharing--;
      this.#changed.wakeAll();
    }
  }

  *alone<R>(operation: () => Task<R>): Task<R> {
    this.#wantAlone++;
    try {
      while (this.#alone || this.#sharing > 0 || this.#plain > 0) yield* this.#changed.wait();
    } finally {
      this.#wantAlone--;
    }
    this.#alone = true;
    try {
      return yield* operation();
    } finally {
      this.#alone = false;
      this.#changed.wakeAll();
    }
  }
}
