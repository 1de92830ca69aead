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
 *   any       its last user goes elsewhere     writeBack, keeping; forget it                     invalid
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
  WriteBack,
} from '@backplane/uio';
import { type Linked, ManagerLink } from './manager-link.ts';
import type { Opening, Place } from './opening.ts';
import { type Keeper, Page } from './page.ts';
import type { PageCache } from './page-cache.ts';
import { WriteBacks, type Written } from './write-backs.ts';

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

export class CachedObject implements Keeper, Linked, Written {
  static {
    tasks(CachedObject);
  }

  readonly key: string;
  /** What the manager calls it. */
  readonly number: number;
  readonly canClean = true;
  readonly #parts: ObjectParts;
  readonly pages: Map<number, Page> = new Map();
  readonly link: ManagerLink;
  readonly #writeBacks: WriteBacks;
  #sizeBytes = 0;
  #sizeVersion = 0;
  /** How far it reached before its manager died, until what was dirty has been claimed. */
  #reachedBytes = 0;
  readonly changed: WaitQueue = new WaitQueue();

  constructor(key: string, number: number, parts: ObjectParts) {
    this.key = key;
    this.number = number;
    this.#parts = parts;
    this.link = new ManagerLink(this, { ...parts, machine: parts.cache.machine });
    this.#writeBacks = new WriteBacks(this, parts);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get occupied(): boolean {
    return this.pages.size > 0 || this.#writeBacks.unconfirmed;
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
      if (page.busy) yield* this.changed.wait();
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
      if (page.busy) yield* this.changed.wait();
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
    const page = this.pages.get(n) ?? new Page(this, n);
    this.pages.set(n, page);
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
      this.wake();
    }
  }

  /** It has neither content nor anybody who fills it. */
  #empty(page: Page): void {
    if (page.frame !== null) this.#parts.cache.drop(page);
    else this.left(page);
  }

  left(page: Page): void {
    if (page.busy) return;
    this.pages.delete(page.number);
    this.link.closeUnused();
  }

  wake(): void {
    this.changed.wakeAll();
    this.#parts.cache.changed();
  }

  // ---- writing back ----

  *clean(page: Page): Task<boolean> {
    return yield* this.#writeBacks.write(page, WriteBack.keeping);
  }

  *putAway(page: Page): Task<boolean> {
    page.busy = true;
    let written = false;
    try {
      written = yield* this.#writeBacks.write(page, WriteBack.releasing);
    } finally {
      page.busy = false;
      if (written && !page.dirty) this.#parts.cache.drop(page);
      this.wake();
    }
    return written;
  }

  /** Every store that was made before is the manager's. @throws KernelError what it answered; `objectLost` */
  *flush(): Task<void> {
    yield* this.#writeBacks.flush();
  }

  /** The same; stores that are lost are somebody else's to be told of. @throws KernelError what the manager answered */
  *writeOut(): Task<void> {
    yield* this.#writeBacks.writeOut();
  }

  noteLost(): void {
    this.#writeBacks.noteLost();
  }

  /**
   * This user's instance goes to another host, which will have it attach: nothing here relies on it when this returns, and
   * the manager has what was stored before. Returns whether stores are lost that nobody has been told of.
   *
   * @throws KernelError `objectLost`, what the manager answered; then all is as it was
   */
  *letGo(opening: Opening): Task<boolean> {
    for (;;) {
      yield* this.link.recovered();
      if (this.link.lost) throw new KernelError('objectLost', this.key);
      yield* this.#writeBacks.writeOut();
      if (this.link.recovering) continue;
      // Write-backs of other users' stores may be under way in this one's name.
      if (this.#unsettled(opening)) yield* this.changed.wait();
      else if (this.link.isShared(opening) || !this.dirty) break;
    }
    const { lost } = this.#writeBacks;
    if (!this.link.isShared(opening)) this.dropAll();
    this.link.depart(opening);
    return lost;
  }

  #unsettled(opening: Opening): boolean {
    const shared = this.link.isShared(opening);
    if (!shared && this.#writeBacks.unconfirmed) return true;
    for (const page of this.pages.values()) if (page.writing || (!shared && page.busy)) return true;
    return false;
  }

  within(page: Page): Uint8Array {
    return page.content().subarray(0, Math.max(0, this.#sizeBytes - page.number * this.pageBytes));
  }

  // ---- what the manager asks ----

  /** What was dirty, for the answer. */
  *taken(code: number, n: number, version: number): Task<Uint8Array> {
    const { cache, holdNs } = this.#parts;
    const page = this.pages.get(n);
    if (page === undefined) return nothing;
    page.voidUpTo = Math.max(page.voidUpTo, version);
    const leftNs = page.grantedNs + holdNs - cache.nowNs;
    if (page.state !== 'invalid' && leftNs > 0) yield* sleep(leftNs);
    if (page.state === 'invalid' || page.version > version) return nothing;
    const dirty = this.#writeBacks.answer(page, version);
    if (code === Ownership.recall) page.state = 'shared';
    else {
      page.state = 'invalid';
      if (!page.busy) this.#empty(page);
    }
    this.wake();
    return dirty;
  }

  isStored(n: number, version: number): void {
    this.#writeBacks.isStored(n, version);
    this.wake();
    this.link.closeUnused();
  }

  restarted(): void {
    for (const page of this.pages.values()) page.voidUpTo = 0;
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
    return this.#writeBacks.dirty;
  }

  // ---- after the manager's death ----

  *claim(place: Place): Task<void> {
    this.#sizeBytes = Math.max(this.#sizeBytes, this.#reachedBytes);
    yield* this.#writeBacks.claim(place);
    this.wake();
  }

  dropAll(): void {
    this.#writeBacks.giveUp();
    this.#reachedBytes = 0;
    this.#sizeVersion = 0;
    for (const page of [...this.pages.values()]) {
      page.state = 'invalid';
      if (!page.busy) this.#empty(page);
    }
    this.wake();
  }
}
