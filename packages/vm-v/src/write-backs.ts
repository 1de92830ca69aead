/**
 * What was stored into an object here and its manager may not have: dirty pages, and what callbacks were answered with until
 * the manager says that it is stored. It goes to the manager when it is time, when frames are wanted, at a flush; and as a
 * claim to a manager that has come back. What cannot be had any more is lost, and the next flush says so.
 */
import { type Task, tasks, type WaitQueue } from '@backplane/engine';
import { isKernelError, KernelError } from '@backplane/slots';
import { isGone, toWriteBack, WriteBack } from '@backplane/uio';
import type { ObjectParts } from './cached-object.ts';
import type { ManagerLink } from './manager-link.ts';
import type { Place } from './opening.ts';
import type { Page } from './page.ts';

/** The object, as its stores are written back. */
export interface Written {
  readonly key: string;
  readonly link: ManagerLink;
  readonly pages: ReadonlyMap<number, Page>;
  /** Something about a page has changed that others wait for. */
  readonly changed: WaitQueue;
  wake(): void;
  /** What the page holds of the object. */
  within(page: Page): Uint8Array;
}

export class WriteBacks {
  static {
    tasks(WriteBacks);
  }

  readonly #object: Written;
  readonly #parts: ObjectParts;
  /** By page, what callbacks were answered with and the manager has not yet said to be stored. */
  readonly #unconfirmed = new Map<number, { readonly version: number; readonly bytes: Uint8Array }>();
  /** Stores that are lost, and that nobody has been told of. */
  #lost = false;

  constructor(object: Written, parts: ObjectParts) {
    this.#object = object;
    this.#parts = parts;
  }

  /** Callbacks were answered with stores that may still be needed. */
  get unconfirmed(): boolean {
    return this.#unconfirmed.size > 0;
  }

  /** There are stores that the manager may not have. */
  get dirty(): boolean {
    if (this.unconfirmed) return true;
    for (const page of this.#object.pages.values()) if (page.dirty) return true;
    return false;
  }

  // ---- to the manager ----

  /** False when that cannot be done now. */
  *write(page: Page, how: number): Task<boolean> {
    const { link } = this.#object;
    if (link.recovering || link.lost) return false;
    try {
      return yield* this.#send(page, how);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return false;
    }
  }

  /** There are stores that are lost, and that nobody has been told of. */
  get lost(): boolean {
    return this.#lost;
  }

  /** On another host, before the file came here. */
  noteLost(): void {
    this.#lost = true;
  }

  /** Every store that was made before is the manager's. @throws KernelError what it answered; `objectLost` */
  *flush(): Task<void> {
    yield* this.writeOut();
    const { key, link } = this.#object;
    if (!this.#lost && !link.lost) return;
    this.#lost = false;
    throw new KernelError('objectLost', `stores to ${key}`);
  }

  /** The same, as far as it is not lost. @throws KernelError what the manager answered */
  *writeOut(): Task<void> {
    const { link, pages, changed } = this.#object;
    for (const page of [...pages.values()]) {
      while (page.dirty) {
        if (link.recovering) yield* link.recovered();
        else if (!page.idle) yield* changed.wait();
        else if (link.lost) break;
        else {
          const { stores } = page;
          yield* this.#send(page, WriteBack.keeping);
          if (page.stores !== stores) break; // those made meanwhile are somebody else's
        }
      }
    }
  }

  /** False when the manager has to be found first. */
  *#send(page: Page, how: number): Task<boolean> {
    const { cache } = this.#parts;
    const { link } = this.#object;
    const { stores, version } = page;
    const { place } = link.anyOpening();
    const segment = this.#object.within(page);
    page.writing = true;
    try {
      yield* link.tell(place, toWriteBack(place.instance, page.number, { version, how, segment }));
    } catch (e) {
      if (!isGone(e)) throw e;
      link.startRecovery();
      return false;
    } finally {
      page.writing = false;
      this.#object.wake();
    }
    cache.writeBacks++;
    if (page.stores === stores && page.version === version) cache.cleaned(page);
    return true;
  }

  // ---- in answers to callbacks ----

  /** What is dirty of a page, which then is clean. @param version of the callback */
  answer(page: Page, version: number): Uint8Array {
    const dirty = page.dirty ? this.#object.within(page) : nothing;
    if (dirty.length > 0) {
      this.#unconfirmed.set(page.number, { version, bytes: dirty });
      this.#parts.stored();
    }
    this.#parts.cache.cleaned(page);
    return dirty;
  }

  isStored(n: number, version: number): void {
    if (this.#unconfirmed.get(n)?.version === version) this.#unconfirmed.delete(n);
  }

  // ---- after the manager's death ----

  *claim(place: Place): Task<void> {
    for (const [n, { bytes }] of [...this.#unconfirmed]) {
      yield* this.#claim(place, n, bytes);
      this.#unconfirmed.delete(n);
    }
    for (const page of [...this.#object.pages.values()].sort((a, b) => a.number - b.number)) {
      if (!page.dirty) continue;
      yield* this.#claim(place, page.number, this.#object.within(page));
      this.#parts.cache.cleaned(page);
    }
  }

  *#claim({ manager, instance }: Place, n: number, segment: Uint8Array): Task<void> {
    const claim = { version: 0, how: WriteBack.claimed, segment };
    try {
      yield* this.#parts.senders.send(manager, toWriteBack(instance, n, claim));
    } catch (e) {
      if (!isKernelError(e, 'stale')) throw e;
      this.#lost = true;
    }
  }

  /** Nobody takes it any more. */
  giveUp(): void {
    if (this.dirty) this.#lost = true;
    this.#unconfirmed.clear();
    for (const page of this.#object.pages.values()) this.#parts.cache.cleaned(page);
  }
}

const nothing = new Uint8Array(0);
