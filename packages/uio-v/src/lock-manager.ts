/**
 * The lock manager of a file server: which hosts have copies of which pages, and may they write them. The messages, and
 * what a holder may do when, stand in `@backplane/uio`, ownership.
 *
 *   a page is       event                            action                                         then
 *   nobody's        acquireShared                    read the storage                               shared by one
 *   nobody's        acquireOwned                     read the storage, if the content is wanted     owned
 *   shared          acquireShared                    read the storage                               shared by one more
 *   shared          acquireOwned                     invalidate all others                          owned
 *   owned           acquireShared by another         recall; store what was dirty                   shared by both
 *   owned           acquireOwned by another          invalidate; store what was dirty               owned by the other
 *   owned           writeBack of that very grant     store it                                       owned, or nobody's
 *   owned           writeBack of an earlier grant    nothing: it came in the answer to a callback   as it was
 *   any             a plain read                     as acquireShared, by nobody
 *   any             a plain write                    as acquireOwned, by nobody
 *   any             the file gets shorter            invalidate; what lies beyond is dropped        nobody's beyond
 *   any             its holder is dead, or silent    what was written back last stands              nobody's
 *                   until its lease is over
 *
 * Whatever changes the size returns when all holders know it.
 */
import { type Task, tasks } from '@backplane/engine';
import { type FileId, KernelError, type Message, type Storage } from '@backplane/slots';
import {
  attachingIn,
  has,
  howIn,
  Ownership,
  PageHeld,
  pageIn,
  sizeIn,
  unitBytes,
  versionIn,
  WriteBack,
} from '@backplane/uio';
import { Grace } from './grace.ts';
import { HeldFiles } from './held-files.ts';
import type { HeldFile, HeldPage, Holder, OpenFile } from './page-holders.ts';
import { type PageTransferParts, PageTransfers, type Taking } from './page-transfers.ts';

/** An instance of a file server. */
export interface FileInstance {
  readonly object: OpenFile;
}

const nothing = new Uint8Array(0);

export class LockManager {
  static {
    tasks(LockManager);
  }

  readonly #parts: PageTransferParts;
  readonly #grace: Grace;
  readonly #files: HeldFiles;
  readonly #pages: PageTransfers;

  constructor(parts: PageTransferParts) {
    const { machine } = parts;
    this.#parts = parts;
    this.#grace = new Grace(machine);
    this.#files = new HeldFiles(machine);
    this.#pages = new PageTransfers(parts, this.#files);
    machine.metrics.register('uio.pageCallbacks', () => this.#pages.callbacks);
    machine.metrics.register('uio.pageHoldersLost', () => this.#files.holdersLost);
  }

  /** The storages are whole: were pages out when this host died? */
  *start(storages: Iterable<Storage>): Task<void> {
    yield* this.#grace.begin(storages);
  }

  *halt(storages: Iterable<Storage>): Task<void> {
    const domains = this.#files.domains();
    for (const storage of storages) if (!domains.has(storage.domain)) yield* this.#grace.in(storage);
  }

  /** What holders ask, by code. */
  operations(): ReadonlyMap<number, (i: FileInstance, m: Message) => Task<Message>> {
    const { team } = this.#parts;
    const all: readonly (readonly [number, (i: FileInstance, m: Message) => Task<Message>])[] = [
      [Ownership.attach, (i, m) => this.#attach(i, m)],
      [Ownership.acquireShared, (i, m) => this.#acquireShared(i, m)],
      [Ownership.acquireOwned, (i, m) => this.#acquireOwned(i, m)],
      [Ownership.writeBack, (i, m) => this.#writeBack(i, m)],
      [Ownership.extend, (i, m) => this.#extend(i, m)],
      [Ownership.renew, (i) => this.#renew(i)],
    ];
    return new Map(all.map(([code, operation]) => [code, (i, m) => team.aside(operation(i, m))]));
  }

  /** The instance is gone; with the last one of a holder goes what it had. */
  detached(o: OpenFile): void {
    this.#files.detach(o);
  }

  // ---- for clients that keep no pages: around what is done to the storage ----

  *reading<R>(file: FileId, at: number, bytes: number, read: () => Task<R>): Task<R> {
    return yield* this.#ordered(file, read, (held, work) =>
      held.onPages(at, bytes, () => this.#after(held, { at, bytes, for: 'shared', by: null }, work)),
    );
  }

  /** @param at 'end': wherever that is by then */
  *writing<R>(file: FileId, at: number | 'end', bytes: number, write: () => Task<R>): Task<R> {
    return yield* this.#ordered(file, write, (held, work) =>
      at === 'end' || at + bytes > held.sizeBytes
        ? held.alone(() => this.#growing(held, at, bytes, work))
        : held.onPages(at, bytes, () => this.#after(held, { at, bytes, for: 'owned', by: null }, work)),
    );
  }

  /** The file ends there from now on. */
  *resizing<R>(file: FileId, sizeBytes: number, resize: () => Task<R>): Task<R> {
    return yield* this.#ordered(file, resize, (held, work) =>
      held.alone(() => this.#cutting(held, sizeBytes, work)),
    );
  }

  /** What is done to the storage, when nobody has what it is about; in no order while nobody has anything of the file. */
  *#ordered<R>(
    file: FileId,
    operation: () => Task<R>,
    inOrder: (held: HeldFile, work: () => Task<R>) => Task<R>,
  ): Task<R> {
    const { team } = this.#parts;
    yield* team.aside(this.#grace.over(file.domain));
    const held = this.#files.entry(file);
    held.users++;
    try {
      if (held.holders.size === 0) return yield* held.unordered(operation);
      return yield* team.aside(inOrder(held, () => team.work(operation())));
    } finally {
      held.users--;
      this.#files.forgetUnused(held);
    }
  }

  *#after<R>(held: HeldFile, taking: Taking, operation: () => Task<R>): Task<R> {
    yield* this.#pages.take(held, taking);
    return yield* operation();
  }

  *#growing<R>(held: HeldFile, at: number | 'end', bytes: number, write: () => Task<R>): Task<R> {
    yield* this.#pages.take(held, { at: at === 'end' ? held.sizeBytes : at, bytes, for: 'owned', by: null });
    return yield* this.#pages.resized(held, null, write);
  }

  *#cutting<R>(held: HeldFile, sizeBytes: number, resize: () => Task<R>): Task<R> {
    const beyond = { at: sizeBytes, bytes: Number.POSITIVE_INFINITY, dropFrom: sizeBytes };
    yield* this.#pages.take(held, { ...beyond, for: 'owned', by: null });
    return yield* this.#pages.resized(held, null, resize);
  }

  // ---- what holders ask ----

  *#attach(i: FileInstance, m: Message): Task<Message> {
    const attaching = attachingIn(m);
    const { pageBytes } = attaching;
    if (pageBytes <= 0 || pageBytes > unitBytes || unitBytes % pageBytes !== 0)
      throw new KernelError('unsupported', `pages of ${pageBytes} bytes`);
    yield* this.#grace.out(this.#parts.storage(i.object.file));
    const held = this.#files.attach(i.object, attaching);
    // From now on operations without pages are ordered too; those that were not are over when we are alone.
    return yield* held.alone(() => this.#measured(held));
  }

  *#measured(held: HeldFile): Task<Message> {
    yield* this.#pages.measure(held);
    return this.#pages.grant(held, nothing);
  }

  *#acquireShared(i: FileInstance, m: Message): Task<Message> {
    const { held, holder } = this.#files.sender(i.object);
    yield* this.#grace.over(held.file.domain);
    return yield* this.#onPage(held, holder, pageIn(m), (page) =>
      this.#give(held, holder, page, 'shared', PageHeld.nothing),
    );
  }

  *#acquireOwned(i: FileInstance, m: Message): Task<Message> {
    demandStores(i.object);
    const { held, holder } = this.#files.sender(i.object);
    yield* this.#grace.over(held.file.domain);
    yield* this.#lengthen(held, holder, sizeIn(m));
    return yield* this.#onPage(held, holder, pageIn(m), (page) =>
      this.#give(held, holder, page, 'owned', versionIn(m)),
    );
  }

  *#give(held: HeldFile, holder: Holder, page: number, mode: HeldPage['mode'], has: number): Task<Message> {
    const { pageBytes } = holder;
    const at = page * pageBytes;
    yield* this.#pages.take(held, { at, bytes: pageBytes, for: mode, by: holder });
    const before = holder.pages.get(page);
    // A copy that we took away meanwhile is not the one that it has now.
    const current = has !== PageHeld.nothing && before?.version === has;
    const content =
      current || has === PageHeld.overwritten
        ? nothing
        : yield* this.#pages.storage(held).read(held.file, at, pageBytes);
    if (!held.holders.has(holder)) throw new KernelError('stale', 'given up meanwhile');
    const grant = this.#pages.grant(held, content);
    holder.pages.set(page, { mode, version: this.#pages.version });
    return grant;
  }

  *#writeBack(i: FileInstance, m: Message): Task<Message> {
    const { held, holder } = this.#files.sender(i.object);
    const page = pageIn(m);
    if (howIn(m) === WriteBack.claimed)
      return yield* this.#claimed(held, holder, page * holder.pageBytes, m.segment);
    return yield* this.#onPage(held, holder, page, () => this.#storeOwned(held, holder, page, m));
  }

  *#storeOwned(held: HeldFile, holder: Holder, page: number, m: Message): Task<Message> {
    const owned = holder.pages.get(page);
    if (owned?.mode === 'owned' && owned.version === versionIn(m)) {
      yield* this.#pages.store(held, page * holder.pageBytes, m.segment);
      if (howIn(m) === WriteBack.releasing) holder.pages.delete(page);
    }
    return this.#pages.grant(held, nothing);
  }

  /** What was dirty when this server died. */
  *#claimed(held: HeldFile, holder: Holder, at: number, bytes: Uint8Array): Task<Message> {
    const { file } = held;
    if (!(yield* this.#grace.claims(file.domain))) throw new KernelError('stale', 'claimed too late');
    const { writes } = this.#parts;
    yield* held.alone(() =>
      this.#pages.resized(held, holder, () => this.#pages.storage(held).write(file, at, bytes, writes)),
    );
    return this.#pages.grant(held, nothing);
  }

  *#extend(i: FileInstance, m: Message): Task<Message> {
    demandStores(i.object);
    const { held, holder } = this.#files.sender(i.object);
    yield* this.#grace.over(held.file.domain);
    yield* this.#lengthen(held, holder, sizeIn(m));
    return this.#pages.grant(held, nothing);
  }

  *#renew(i: FileInstance): Task<Message> {
    return this.#pages.grant(this.#files.sender(i.object).held, nothing);
  }

  // ---- pages ----

  *#onPage(
    held: HeldFile,
    holder: Holder,
    page: number,
    operation: (page: number) => Task<Message>,
  ): Task<Message> {
    return yield* held.onPages(page * holder.pageBytes, holder.pageBytes, () => {
      if (!held.holders.has(holder)) throw new KernelError('stale', 'given up meanwhile');
      return operation(page);
    });
  }

  *#lengthen(held: HeldFile, by: Holder, leastBytes: number): Task<void> {
    if (leastBytes > held.sizeBytes) yield* held.alone(() => this.#longer(held, by, leastBytes));
  }

  *#longer(held: HeldFile, by: Holder, leastBytes: number): Task<void> {
    if (leastBytes <= held.sizeBytes) return;
    yield* this.#pages.resized(held, by, () => this.#pages.storage(held).truncate(held.file, leastBytes));
  }
}

/** A store goes anywhere: who may only append asks the server to. */
function demandStores({ attributes }: OpenFile): void {
  if (!has(attributes, 'writeable') || has(attributes, 'appendOnly'))
    throw new KernelError('badHandle', 'not open for stores');
}
