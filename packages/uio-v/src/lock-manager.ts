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
import { fileKey } from '@backplane/file-service';
import {
  type FileId,
  type Ipc,
  KernelError,
  type Machine,
  type Message,
  type Storage,
  type WriteWhen,
} from '@backplane/slots';
import {
  attachingIn,
  granting,
  has,
  howIn,
  Ownership,
  PageHeld,
  pageIn,
  sizeIn,
  toResize,
  toTakePage,
  unitBytes,
  versionIn,
  WriteBack,
} from '@backplane/uio';
import { Grace } from './grace.ts';
import { PageCallbacks, type Question } from './page-callbacks.ts';
import { HeldFile, type HeldPage, type Holder, type OpenFile } from './page-holders.ts';
import type { Team } from './team.ts';

/** An instance of a file server. */
export interface FileInstance {
  readonly object: OpenFile;
}

export interface LockManagerParts {
  readonly ipc: Ipc;
  readonly machine: Machine;
  readonly team: Team;
  storage(f: FileId): Storage;
  /** When what holders write back goes to the disk. */
  readonly writes: WriteWhen;
}

/** A range of a file, and what is to become of the pages in it. */
interface Taking {
  readonly at: number;
  /** May be infinite. */
  readonly bytes: number;
  readonly for: HeldPage['mode'];
  /** Keeps what it has. */
  readonly by: Holder | null;
  /** What is dirty from here on is not wanted. */
  readonly dropFrom?: number;
}

const nothing = new Uint8Array(0);

export class LockManager {
  static {
    tasks(LockManager);
  }

  readonly #parts: LockManagerParts;
  readonly #machine: Machine;
  readonly #grace: Grace;
  readonly #callbacks: PageCallbacks;
  readonly #files = new Map<string, HeldFile>();
  readonly #attached = new Map<OpenFile, { readonly held: HeldFile; readonly holder: Holder }>();
  #version = 0;
  #holdersLost = 0;

  constructor(parts: LockManagerParts) {
    const { ipc, machine } = parts;
    this.#parts = parts;
    this.#machine = machine;
    this.#grace = new Grace(machine);
    this.#callbacks = new PageCallbacks(ipc, machine);
    machine.metrics.register('uio.pageCallbacks', () => this.#callbacks.asked);
    machine.metrics.register('uio.pageHoldersLost', () => this.#holdersLost);
  }

  /** The storages are whole: were pages out when this host died? */
  *start(storages: Iterable<Storage>): Task<void> {
    yield* this.#grace.begin(storages);
  }

  *halt(storages: Iterable<Storage>): Task<void> {
    const domains = new Set([...this.#attached.values()].map((a) => a.held.file.domain));
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
    const attached = this.#attached.get(o);
    if (attached === undefined) return;
    const { held, holder } = attached;
    this.#attached.delete(o);
    holder.opens.delete(o);
    if (holder.opens.size === 0) held.holders.delete(holder);
    this.#forgetUnused(held);
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
    const held = this.#entry(file);
    held.users++;
    try {
      if (held.holders.size === 0) return yield* held.unordered(operation);
      return yield* team.aside(inOrder(held, () => team.work(operation())));
    } finally {
      held.users--;
      this.#forgetUnused(held);
    }
  }

  *#after<R>(held: HeldFile, taking: Taking, operation: () => Task<R>): Task<R> {
    yield* this.#take(held, taking);
    return yield* operation();
  }

  *#growing<R>(held: HeldFile, at: number | 'end', bytes: number, write: () => Task<R>): Task<R> {
    yield* this.#take(held, { at: at === 'end' ? held.sizeBytes : at, bytes, for: 'owned', by: null });
    return yield* this.#resized(held, null, write);
  }

  *#cutting<R>(held: HeldFile, sizeBytes: number, resize: () => Task<R>): Task<R> {
    const beyond = { at: sizeBytes, bytes: Number.POSITIVE_INFINITY, dropFrom: sizeBytes };
    yield* this.#take(held, { ...beyond, for: 'owned', by: null });
    return yield* this.#resized(held, null, resize);
  }

  // ---- what holders ask ----

  *#attach(i: FileInstance, m: Message): Task<Message> {
    const { holder: entity, object, pageBytes } = attachingIn(m);
    if (pageBytes <= 0 || pageBytes > unitBytes || unitBytes % pageBytes !== 0)
      throw new KernelError('unsupported', `pages of ${pageBytes} bytes`);
    const { file } = i.object;
    yield* this.#grace.out(this.#parts.storage(file));
    const held = this.#entry(file);
    const holder = held.holder(entity, object) ?? {
      entity,
      object,
      pageBytes,
      opens: new Set(),
      pages: new Map(),
      heardNs: this.#machine.engine.nowNs,
    };
    held.holders.add(holder);
    holder.opens.add(i.object);
    this.#attached.set(i.object, { held, holder });
    // From now on operations without pages are ordered too; those that were not are over when we are alone.
    return yield* held.alone(() => this.#measured(held));
  }

  *#measured(held: HeldFile): Task<Message> {
    held.sizeBytes = yield* this.#size(held);
    return this.#grant(held, nothing);
  }

  *#acquireShared(i: FileInstance, m: Message): Task<Message> {
    const { held, holder } = this.#holderOf(i);
    yield* this.#grace.over(held.file.domain);
    return yield* this.#onPage(held, holder, pageIn(m), (page) =>
      this.#give(held, holder, page, 'shared', PageHeld.nothing),
    );
  }

  *#acquireOwned(i: FileInstance, m: Message): Task<Message> {
    demandStores(i.object);
    const { held, holder } = this.#holderOf(i);
    yield* this.#grace.over(held.file.domain);
    yield* this.#lengthen(held, holder, sizeIn(m));
    return yield* this.#onPage(held, holder, pageIn(m), (page) =>
      this.#give(held, holder, page, 'owned', versionIn(m)),
    );
  }

  *#give(held: HeldFile, holder: Holder, page: number, mode: HeldPage['mode'], has: number): Task<Message> {
    const { pageBytes } = holder;
    const at = page * pageBytes;
    yield* this.#take(held, { at, bytes: pageBytes, for: mode, by: holder });
    const before = holder.pages.get(page);
    // A copy that we took away meanwhile is not the one that it has now.
    const current = has !== PageHeld.nothing && before?.version === has;
    const content =
      current || has === PageHeld.overwritten
        ? nothing
        : yield* this.#storage(held).read(held.file, at, pageBytes);
    if (!held.holders.has(holder)) throw new KernelError('stale', 'given up meanwhile');
    const grant = this.#grant(held, content);
    holder.pages.set(page, { mode, version: this.#version });
    return grant;
  }

  *#writeBack(i: FileInstance, m: Message): Task<Message> {
    const { held, holder } = this.#holderOf(i);
    const page = pageIn(m);
    if (howIn(m) === WriteBack.claimed)
      return yield* this.#claimed(held, holder, page * holder.pageBytes, m.segment);
    return yield* this.#onPage(held, holder, page, () => this.#storeOwned(held, holder, page, m));
  }

  *#storeOwned(held: HeldFile, holder: Holder, page: number, m: Message): Task<Message> {
    const owned = holder.pages.get(page);
    if (owned?.mode === 'owned' && owned.version === versionIn(m)) {
      yield* this.#store(held, page * holder.pageBytes, m.segment);
      if (howIn(m) === WriteBack.releasing) holder.pages.delete(page);
    }
    return this.#grant(held, nothing);
  }

  /** What was dirty when this server died. */
  *#claimed(held: HeldFile, holder: Holder, at: number, bytes: Uint8Array): Task<Message> {
    const { file } = held;
    if (!(yield* this.#grace.claims(file.domain))) throw new KernelError('stale', 'claimed too late');
    const { writes } = this.#parts;
    yield* held.alone(() =>
      this.#resized(held, holder, () => this.#storage(held).write(file, at, bytes, writes)),
    );
    return this.#grant(held, nothing);
  }

  *#extend(i: FileInstance, m: Message): Task<Message> {
    demandStores(i.object);
    const { held, holder } = this.#holderOf(i);
    yield* this.#grace.over(held.file.domain);
    yield* this.#lengthen(held, holder, sizeIn(m));
    return this.#grant(held, nothing);
  }

  *#renew(i: FileInstance): Task<Message> {
    return this.#grant(this.#holderOf(i).held, nothing);
  }

  // ---- pages ----

  /** Others lose what they may not have any more; what they had dirty is stored. The pages, or the file, are ours alone. */
  *#take(held: HeldFile, { at, bytes, for: mode, by, dropFrom }: Taking): Task<void> {
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
        this.#lose(held, holder);
        continue;
      }
      if (mode === 'shared') holder.pages.set(page, { mode: 'shared', version: before.version });
      else holder.pages.delete(page);
      if (answer.segment.length === 0) continue;
      yield* this.#store(held, page * holder.pageBytes, answer.segment, dropFrom);
      stored.push({ to: holder, message: toTakePage(Ownership.stored, holder.object, page, version) });
    }
    // Nobody stores into these pages before who had them knows that he need not keep them.
    const heard = yield* this.#callbacks.ask(stored);
    for (const [n, { to }] of stored.entries()) if (heard[n] === undefined) this.#lose(held, to);
  }

  /** As far as the file reaches: it may have become shorter since. */
  *#store(held: HeldFile, at: number, bytes: Uint8Array, end: number = held.sizeBytes): Task<void> {
    const count = Math.min(bytes.length, Math.min(end, held.sizeBytes) - at);
    if (count <= 0) return;
    yield* this.#storage(held).write(held.file, at, bytes.subarray(0, count), this.#parts.writes);
  }

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
    yield* this.#resized(held, by, () => this.#storage(held).truncate(held.file, leastBytes));
  }

  /** Alone with the file: all others know its size when this returns. */
  *#resized<R>(held: HeldFile, by: Holder | null, change: () => Task<R>): Task<R> {
    const result = yield* change();
    const sizeBytes = yield* this.#size(held);
    if (sizeBytes === held.sizeBytes) return result;
    held.sizeBytes = sizeBytes;
    const version = ++this.#version;
    const others = [...held.holders].filter((h) => h !== by);
    const answers = yield* this.#callbacks.ask(
      others.map((to) => ({ to, message: toResize(to.object, version, sizeBytes) })),
    );
    for (const [n, holder] of others.entries()) if (answers[n] === undefined) this.#lose(held, holder);
    return result;
  }

  /** A version with the size, as they are at this instant. */
  #grant(held: HeldFile, content: Uint8Array): Message {
    return granting({ version: ++this.#version, sizeBytes: held.sizeBytes, content });
  }

  // ---- files and holders ----

  *#size({ file }: HeldFile): Task<number> {
    return (yield* this.#parts.storage(file).attributes(file)).sizeBytes;
  }

  /** By one of the server's threads. */
  #storage({ file }: HeldFile): Pick<Storage, 'read' | 'write' | 'truncate'> {
    const { team } = this.#parts;
    const storage = this.#parts.storage(file);
    return {
      read: (...a) => team.work(storage.read(...a)),
      write: (...a) => team.work(storage.write(...a)),
      truncate: (...a) => team.work(storage.truncate(...a)),
    };
  }

  /** @throws KernelError `stale` for an instance that has not attached, or whose holder was given up */
  #holderOf(i: FileInstance): { readonly held: HeldFile; readonly holder: Holder } {
    const attached = this.#attached.get(i.object);
    if (attached === undefined) throw new KernelError('stale', 'it has no holder');
    attached.holder.heardNs = this.#machine.engine.nowNs;
    return attached;
  }

  /** What it had is nobody's. If it lives, it finds out by its next message. */
  #lose(held: HeldFile, holder: Holder): void {
    if (!held.holders.delete(holder)) return;
    for (const o of holder.opens) this.#attached.delete(o);
    this.#holdersLost++;
    this.#forgetUnused(held);
  }

  #entry(file: FileId): HeldFile {
    const key = fileKey(file);
    const held = this.#files.get(key) ?? new HeldFile(file);
    this.#files.set(key, held);
    return held;
  }

  #forgetUnused(held: HeldFile): void {
    if (held.users === 0 && held.holders.size === 0) this.#files.delete(fileKey(held.file));
  }
}

/** A store goes anywhere: who may only append asks the server to. */
function demandStores({ attributes }: OpenFile): void {
  if (!has(attributes, 'writeable') || has(attributes, 'appendOnly'))
    throw new KernelError('badHandle', 'not open for stores');
}

/** Those of the holder's pages that overlap the range. */
function pagesIn({ pages, pageBytes }: Holder, at: number, bytes: number): [number, HeldPage][] {
  const first = Math.floor(at / pageBytes);
  if (bytes === Number.POSITIVE_INFINITY) return [...pages].filter(([n]) => n >= first);
  const found: [number, HeldPage][] = [];
  for (let n = first; n * pageBytes < at + bytes; n++) {
    const has = pages.get(n);
    if (has !== undefined) found.push([n, has]);
  }
  return found;
}
