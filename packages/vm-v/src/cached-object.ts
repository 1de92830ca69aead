/**
 * The pages of one open object at one of the hosts that have some: the holder's half of ownership (the messages and the
 * states are in `@backplane/uio`, ownership).
 *
 *   state     event                            action                                            next
 *   invalid   read                             acquireShared                                     shared
 *   invalid   store                            acquireOwned, with the least size                 owned, dirty
 *   shared    read                             none                                              shared
 *   shared    store                            acquireOwned, naming our copy                     owned, dirty
 *   owned     read, store                      none; beyond the end first `extend`               owned
 *   shared    its frame is wanted              none: the server finds out                        invalid
 *   owned     its frame is wanted, dirty       writeBack, releasing                              invalid
 *   owned     its time, or flush               writeBack, keeping                                owned, clean
 *   owned     recall                           answer with what is dirty, keep it till `stored`  shared
 *   any       invalidate                       answer with what is dirty, keep it till `stored`  invalid
 *   acquiring invalidate of a higher version   the grant will be void                            acquire again
 *   any       lease over, used                 renew first                                       as it was
 *   any       the manager has died             open and attach again, claim what is dirty        invalid
 *   any       the manager gave us up           open and attach again, dirty stores are lost      invalid
 *
 * A page that is filled or that leaves is `busy`: who wants it waits. Everything else about a page happens between two
 * suspensions: a store is made in the same breath in which the page was found owned.
 *
 * A page that was granted may be kept for `holdNs` before a callback takes it, so that two hosts that both store into it
 * each get something done.
 */
import { charge, sleep, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  Busy,
  type EntityId,
  isKernelError,
  KernelError,
  type Message,
  type PageFrame,
  type Probed,
} from '@backplane/slots';
import {
  Ownership,
  PageHeld,
  type Senders,
  toAcquireOwned,
  toAcquireShared,
  toAttach,
  toExtend,
  toWriteBack,
  WriteBack,
} from '@backplane/uio';
import { type Linked, ManagerLink } from './manager-link.ts';
import type { Opening, Place } from './opening.ts';
import { type Keeper, Page } from './page.ts';
import type { PageCache } from './page-cache.ts';

/** What the objects of a host share. */
export interface ObjectParts {
  readonly cache: PageCache;
  readonly senders: Senders;
  /** Who is called back. */
  readonly holder: EntityId;
  readonly holdNs: number;
  /** Nobody uses the object, and nothing of it is cached. */
  unused(object: CachedObject): void;
  /** The object has something dirty. */
  stored(): void;
  probe(manager: EntityId): Task<Probed>;
}

/** A store that is about to be made. */
export interface StoreAhead {
  /** Nothing that the page holds will be left. */
  readonly whole: boolean;
  /** Where it ends in the object. */
  readonly endBytes: number;
}

const nothing = new Uint8Array(0);

export class CachedObject implements Keeper, Linked {
  static {
    tasks(CachedObject);
  }

  readonly key: string;
  /** What the manager calls it. */
  readonly number: number;
  readonly canClean = true;
  readonly #parts: ObjectParts;
  readonly #pages = new Map<number, Page>();
  /** By page, what callbacks were answered with and the manager has not yet said to be stored. */
  readonly #unconfirmed = new Map<number, { readonly version: number; readonly bytes: Uint8Array }>();
  readonly link: ManagerLink;
  #sizeBytes = 0;
  #sizeVersion = 0;
  /** How far it reached before its manager died, until what was dirty has been claimed. */
  #reachedBytes = 0;
  /** Stores that are lost, and that nobody has been told of. */
  #storesLost = false;
  readonly #changed: WaitQueue = new WaitQueue();

  constructor(key: string, number: number, parts: ObjectParts) {
    this.key = key;
    this.number = number;
    this.#parts = parts;
    this.link = new ManagerLink(this, { ...parts, machine: parts.cache.machine });
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get occupied(): boolean {
    return this.#pages.size > 0 || this.#unconfirmed.size > 0;
  }

  toAttach(instance: number): Message {
    return toAttach(instance, {
      holder: this.#parts.holder,
      object: this.number,
      pageBytes: this.pageBytes,
    });
  }

  unused(): void {
    this.#parts.unused(this);
  }

  get pageBytes(): number {
    return this.#parts.cache.pageBytes;
  }

  // ---- pages in use ----

  allows(page: Page, how: 'read' | 'write'): boolean {
    if (page.busy || !this.link.isCurrent) return false;
    return page.state === 'owned' || (how === 'read' && page.state === 'shared');
  }

  /** The page, to be read before the next suspension. */
  *reading(opening: Opening, n: number): Task<Page> {
    for (;;) {
      yield* this.link.current(opening);
      const page = this.#page(n);
      if (page.busy) yield* this.#changed.wait();
      else if (this.allows(page, 'read')) return this.#hit(page);
      else if (yield* this.#acquire(opening, page, null)) return page;
    }
  }

  /** The page, to be stored into before the next suspension; the object reaches as far as the store. */
  *storing(opening: Opening, n: number, ahead: StoreAhead): Task<Page> {
    if (!opening.writable) throw new KernelError('badHandle', 'not open for writing');
    if (this.#parts.cache.tooDirty) yield* this.#parts.cache.throttle();
    for (;;) {
      yield* this.link.current(opening);
      const page = this.#page(n);
      if (page.busy) yield* this.#changed.wait();
      else if (!this.allows(page, 'write')) {
        if (yield* this.#acquire(opening, page, ahead)) return page;
      } else if (ahead.endBytes > this.#sizeBytes)
        yield* this.link.ask(opening, (instance) => toExtend(instance, ahead.endBytes));
      else return this.#hit(page);
    }
  }

  stored(page: Page): void {
    this.#parts.cache.stored(page);
    this.#parts.stored();
  }

  #hit(page: Page): Page {
    this.#parts.cache.hits++;
    this.#parts.cache.used(page);
    return page;
  }

  #page(n: number): Page {
    const page = this.#pages.get(n) ?? new Page(this, n);
    this.#pages.set(n, page);
    return page;
  }

  /** @param ahead null to read. False: the grant was overtaken */
  *#acquire(opening: Opening, page: Page, ahead: StoreAhead | null): Task<boolean> {
    const { cache } = this.#parts;
    const { costs } = cache.machine.type;
    let frame: PageFrame | null = null;
    let held: number = PageHeld.nothing;
    page.busy = true;
    cache.faults++;
    try {
      charge(costs.pageTableNs + (page.frame === null ? costs.pageAllocateNs : 0), Busy.memory);
      if (page.frame === null) frame = yield* cache.claim();
      const grant = yield* this.link.ask(opening, (instance) => {
        if (ahead === null) return toAcquireShared(instance, page.number);
        held = page.state === 'shared' ? page.version : ahead.whole ? PageHeld.overwritten : PageHeld.nothing;
        return toAcquireOwned(instance, page.number, held, ahead.endBytes);
      });
      if (grant.version <= page.voidUpTo) return false;
      const kept = page.state === 'shared' && page.version === held && grant.content.length === 0;
      page.version = grant.version;
      page.grantedNs = cache.nowNs;
      page.state = ahead === null ? 'shared' : 'owned';
      if (frame !== null) {
        cache.entered(page, frame, grant.content);
        frame = null;
      } else {
        if (page.frame !== null && !kept) page.fill(page.frame, grant.content, this.pageBytes);
        cache.used(page);
      }
      return true;
    } finally {
      page.busy = false;
      if (frame !== null) cache.returned(frame);
      if (page.state === 'invalid') this.#empty(page);
      this.#wake();
    }
  }

  /** It has neither content nor anybody who fills it. */
  #empty(page: Page): void {
    if (page.frame !== null) this.#parts.cache.drop(page);
    else this.left(page);
  }

  left(page: Page): void {
    if (page.busy) return;
    this.#pages.delete(page.number);
    this.link.closeUnused();
  }

  #wake(): void {
    this.#changed.wakeAll();
    this.#parts.cache.changed();
  }

  // ---- writing back ----

  *clean(page: Page): Task<boolean> {
    return yield* this.#writeBack(page, WriteBack.keeping);
  }

  *putAway(page: Page): Task<boolean> {
    page.busy = true;
    let written = false;
    try {
      written = yield* this.#writeBack(page, WriteBack.releasing);
    } finally {
      page.busy = false;
      if (written && !page.dirty) this.#parts.cache.drop(page);
      this.#wake();
    }
    return written;
  }

  /** Every store that was made before is the manager's. @throws KernelError what it answered; `objectLost` */
  *flush(): Task<void> {
    for (const page of [...this.#pages.values()]) {
      while (page.dirty) {
        if (this.link.recovering) yield* this.link.recovered();
        else if (!page.idle) yield* this.#changed.wait();
        else if (this.link.lost) break;
        else {
          const { stores } = page;
          yield* this.#sendBack(page, WriteBack.keeping);
          if (page.stores !== stores) break; // those made meanwhile are somebody else's
        }
      }
    }
    if (!this.#storesLost && !this.link.lost) return;
    this.#storesLost = false;
    throw new KernelError('objectLost', `stores to ${this.key}`);
  }

  *#writeBack(page: Page, how: number): Task<boolean> {
    if (this.link.recovering || this.link.lost) return false;
    try {
      return yield* this.#sendBack(page, how);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return false;
    }
  }

  /** False when the manager has to be found first. */
  *#sendBack(page: Page, how: number): Task<boolean> {
    const { cache } = this.#parts;
    const { stores, version } = page;
    const opening = this.link.anyOpening();
    const { place } = opening;
    const segment = this.#within(page);
    page.writing = true;
    try {
      yield* this.link.tell(place, toWriteBack(place.instance, page.number, { version, how, segment }));
    } catch (e) {
      if (!isGone(e)) throw e;
      this.link.startRecovery();
      return false;
    } finally {
      page.writing = false;
      this.#wake();
    }
    cache.writeBacks++;
    if (page.stores === stores && page.version === version) cache.cleaned(page);
    return true;
  }

  /** What the page holds of the object. */
  #within(page: Page): Uint8Array {
    return page.content().subarray(0, Math.max(0, this.#sizeBytes - page.number * this.pageBytes));
  }

  // ---- what the manager asks ----

  /** What was dirty, for the answer. */
  *taken(code: number, n: number, version: number): Task<Uint8Array> {
    const { cache, holdNs } = this.#parts;
    const page = this.#pages.get(n);
    if (page === undefined) return nothing;
    page.voidUpTo = Math.max(page.voidUpTo, version);
    const leftNs = page.grantedNs + holdNs - cache.nowNs;
    if (page.state !== 'invalid' && leftNs > 0) yield* sleep(leftNs);
    if (page.state === 'invalid' || page.version > version) return nothing;
    const dirty = page.dirty ? this.#within(page) : nothing;
    if (dirty.length > 0) {
      this.#unconfirmed.set(n, { version, bytes: dirty });
      this.#parts.stored();
    }
    cache.cleaned(page);
    if (code === Ownership.recall) page.state = 'shared';
    else {
      page.state = 'invalid';
      if (!page.busy) this.#empty(page);
    }
    this.#wake();
    return dirty;
  }

  isStored(n: number, version: number): void {
    if (this.#unconfirmed.get(n)?.version === version) this.#unconfirmed.delete(n);
    this.link.closeUnused();
  }

  restarted(): void {
    for (const page of this.#pages.values()) page.voidUpTo = 0;
    this.#reachedBytes = Math.max(this.#reachedBytes, this.#sizeBytes);
    this.#sizeVersion = 0;
  }

  resized(version: number, sizeBytes: number): void {
    if (version <= this.#sizeVersion) return;
    this.#sizeVersion = version;
    this.#sizeBytes = sizeBytes;
  }

  /** There are stores that the manager may not have. */
  get dirty(): boolean {
    if (this.#unconfirmed.size > 0) return true;
    for (const page of this.#pages.values()) if (page.dirty) return true;
    return false;
  }

  // ---- after the manager's death ----

  *claim(place: Place): Task<void> {
    this.#sizeBytes = Math.max(this.#sizeBytes, this.#reachedBytes);
    for (const [n, { bytes }] of [...this.#unconfirmed]) {
      yield* this.#claimPage(place, n, bytes);
      this.#unconfirmed.delete(n);
    }
    for (const page of [...this.#pages.values()].sort((a, b) => a.number - b.number)) {
      if (!page.dirty) continue;
      yield* this.#claimPage(place, page.number, this.#within(page));
      this.#parts.cache.cleaned(page);
    }
  }

  *#claimPage({ manager, instance }: Place, n: number, segment: Uint8Array): Task<void> {
    const claim = { version: 0, how: WriteBack.claimed, segment };
    try {
      yield* this.#parts.senders.send(manager, toWriteBack(instance, n, claim));
    } catch (e) {
      if (!isKernelError(e, 'stale')) throw e;
      this.#storesLost = true;
    }
  }

  dropAll(): void {
    if (this.#unconfirmed.size > 0) this.#storesLost = true;
    this.#unconfirmed.clear();
    this.#reachedBytes = 0;
    this.#sizeVersion = 0;
    for (const page of [...this.#pages.values()]) {
      if (page.dirty) this.#storesLost = true;
      this.#parts.cache.cleaned(page);
      page.state = 'invalid';
      if (!page.busy) this.#empty(page);
    }
  }
}

const isGone = (e: unknown): boolean => isKernelError(e, 'peerDown') || isKernelError(e, 'stale');
