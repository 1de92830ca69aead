/**
 * Pages leave their holders by way of the storage, and holders learn how long a file is: what an operation on pages does first,
 * and one that changes the size last. The caller has the pages, or the file, in order (`HeldFile`).
 *
 * Versions number what holders are told: a callback makes void the grants before it.
 */
import { type Task, tasks } from '@backplane/engine';
import type { FileId, Ipc, Machine, Message, Storage, WriteWhen } from '@backplane/slots';
import { granting, Ownership, toResize, toTakePage } from '@backplane/uio';
import type { HeldFiles } from './held-files.ts';
import { PageCallbacks, type Question } from './page-callbacks.ts';
import { type HeldFile, type HeldPage, type Holder, pagesIn } from './page-holders.ts';
import type { Team } from './team.ts';

export interface PageTransferParts {
  readonly ipc: Ipc;
  readonly machine: Machine;
  readonly team: Team;
  storage(f: FileId): Storage;
  /** When what holders write back goes to the disk. */
  readonly writes: WriteWhen;
}

/** A range of a file, and what is to become of the pages in it. */
export interface Taking {
  readonly at: number;
  /** May be infinite. */
  readonly bytes: number;
  readonly for: HeldPage['mode'];
  /** Keeps what it has. */
  readonly by: Holder | null;
  /** What is dirty from here on is not wanted. */
  readonly dropFrom?: number;
}

export class PageTransfers {
  static {
    tasks(PageTransfers);
  }

  readonly #parts: PageTransferParts;
  readonly #files: HeldFiles;
  readonly #callbacks: PageCallbacks;
  #version = 0;

  constructor(parts: PageTransferParts, files: HeldFiles) {
    this.#parts = parts;
    this.#files = files;
    this.#callbacks = new PageCallbacks(parts.ipc, parts.machine);
  }

  get callbacks(): number {
    return this.#callbacks.asked;
  }

  /** Of what was told last. */
  get version(): number {
    return this.#version;
  }

  /** Others lose what they may not have any more; what they had dirty is stored. The pages, or the file, are ours alone. */
  *take(held: HeldFile, { at, bytes, for: mode, by, dropFrom }: Taking): Task<void> {
    const taken: { readonly holder: Holder; readonly page: number; readonly has: HeldPage }[] = [];
    for (const holder of held.holders) {
      if (holder === by) continue;
      for (const [page, has] of pagesIn(holder, at, bytes))
        if (mode === 'owned' || has.mode === 'owned') taken.push({ holder, page, has });
    }
    if (taken.length === 0) return;
    const code = mode === 'shared' ? Ownership.recall : Ownership.invalidate;
    const version = ++this.#version;
    const answers = yield* this.#callbacks.ask(
      taken.map(({ holder, page }) => ({
        to: holder,
        message: toTakePage(code, holder.object, page, version),
      })),
    );
    const stored: Question[] = [];
    for (const [n, { holder, page, has: before }] of taken.entries()) {
      const answer = answers[n];
      if (answer === undefined) {
        this.#files.lose(held, holder);
        continue;
      }
      if (mode === 'shared') holder.pages.set(page, { mode: 'shared', version: before.version });
      else holder.pages.delete(page);
      if (answer.segment.length === 0) continue;
      yield* this.store(held, page * holder.pageBytes, answer.segment, dropFrom);
      stored.push({ to: holder, message: toTakePage(Ownership.stored, holder.object, page, version) });
    }
    // Nobody stores into these pages before who had them knows that he need not keep them.
    yield* this.#tell(held, stored);
  }

  /** As far as the file reaches: it may have become shorter since. */
  *store(held: HeldFile, at: number, bytes: Uint8Array, end: number = held.sizeBytes): Task<void> {
    const count = Math.min(bytes.length, Math.min(end, held.sizeBytes) - at);
    if (count <= 0) return;
    yield* this.storage(held).write(held.file, at, bytes.subarray(0, count), this.#parts.writes);
  }

  /** Alone with the file: all others know its size when this returns. */
  *resized<R>(held: HeldFile, by: Holder | null, change: () => Task<R>): Task<R> {
    const result = yield* change();
    const before = held.sizeBytes;
    yield* this.measure(held);
    if (held.sizeBytes === before) return result;
    const version = ++this.#version;
    const others = [...held.holders].filter((h) => h !== by);
    yield* this.#tell(
      held,
      others.map((to) => ({ to, message: toResize(to.object, version, held.sizeBytes) })),
    );
    return result;
  }

  *measure(held: HeldFile): Task<void> {
    const { file } = held;
    held.sizeBytes = (yield* this.#parts.storage(file).attributes(file)).sizeBytes;
  }

  /** Who does not answer has nothing any more. */
  *#tell(held: HeldFile, all: readonly Question[]): Task<void> {
    const heard = yield* this.#callbacks.ask(all);
    for (const [n, { to }] of all.entries()) if (heard[n] === undefined) this.#files.lose(held, to);
  }

  /** A version with the size, as they are at this instant. */
  grant(held: HeldFile, content: Uint8Array): Message {
    return granting({ version: ++this.#version, sizeBytes: held.sizeBytes, content });
  }

  /** By one of the server's threads. */
  storage({ file }: HeldFile): Pick<Storage, 'read' | 'write' | 'truncate'> {
    const { team } = this.#parts;
    const storage = this.#parts.storage(file);
    return {
      read: (...a) => team.work(storage.read(...a)),
      write: (...a) => team.work(storage.write(...a)),
      truncate: (...a) => team.work(storage.truncate(...a)),
    };
  }
}
