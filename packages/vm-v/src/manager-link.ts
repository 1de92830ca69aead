/**
 * An object's way to its manager: the instances that are open there, the lease, and what happens when the manager is silent or
 * has died.
 *
 *   state        event                                        action                                        next
 *   current      a message is answered                        the lease begins anew at its sending          current
 *   current      the lease is over                            renew, before anything is used                current
 *   current      an instance more, the lease is over, or the  renew, before it attaches                     current
 *                instance is another manager's
 *   any          no answer, or the manager does not know us   ask once more                                 recovering
 *   recovering   it knows us                                  none: it was silent                           current
 *   recovering   it is another one, or gave us up             open all again, attach, claim, drop pages     current
 *   recovering   it cannot be found yet                       again in a second                             recovering
 *   recovering   it refuses for good                          drop pages                                    lost
 */
import { sleep, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type EntityId,
  isKernelError,
  KernelError,
  type KernelErrorKind,
  type Machine,
  type Message,
  type Probed,
} from '@backplane/slots';
import {
  granted,
  isGone,
  leaseNs,
  lookAgainNs,
  type PageGrant,
  type Senders,
  toRelease,
  toRenew,
} from '@backplane/uio';
import type { Opening, Place } from './opening.ts';

export interface LinkParts {
  readonly machine: Machine;
  readonly senders: Senders;
  probe(manager: EntityId): Task<Probed>;
}

/** The object, as its link knows it. */
export interface Linked {
  readonly key: string;
  /** Something of it is here. */
  readonly occupied: boolean;
  toAttach(instance: number): Message;
  resized(version: number, sizeBytes: number): void;
  /** Versions begin anew: another life of the manager. What is dirty, and how far the object reached, is still known. */
  restarted(): void;
  /** Writes what is dirty to a manager that has come back. */
  claim(place: Place): Task<void>;
  dropAll(): void;
  /** Nobody has it open, and nothing of it is here. */
  unused(): void;
}

export class ManagerLink {
  static {
    tasks(ManagerLink);
  }

  readonly #parts: LinkParts;
  readonly #object: Linked;
  readonly #openings = new Set<Opening>();
  /** When the last message was sent that the manager has answered. */
  #confirmedNs = Number.NEGATIVE_INFINITY;
  #recovering = false;
  /** It is open again, and what was dirty has not been claimed yet. */
  #claiming = false;
  /** It cannot be opened again. */
  #lost = false;
  readonly #changed: WaitQueue = new WaitQueue();

  constructor(object: Linked, parts: LinkParts) {
    this.#object = object;
    this.#parts = parts;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get recovering(): boolean {
    return this.#recovering;
  }

  /** What is known here of the object holds at this instant. */
  get isCurrent(): boolean {
    return !this.#recovering && !this.#lost && this.#nowNs - this.#confirmedNs < leaseNs;
  }

  get #nowNs(): number {
    return this.#parts.machine.engine.nowNs;
  }

  // ---- openings ----

  /**
   * Returns when what is known here of the object holds, or is known to be lost: before anybody else uses it, whose new
   * instance would be taken for a sign that the old ones live.
   *
   * @param manager of the new instance
   */
  *settle(manager: EntityId): Task<void> {
    yield* this.recovered();
    const [first] = this.#openings;
    if (first === undefined || this.#lost) return;
    if (this.isCurrent && first.place.manager === manager) return;
    first.uses++;
    try {
      yield* this.ask(first, (instance) => toRenew(instance));
    } catch (e) {
      if (!isKernelError(e, 'objectLost')) throw e;
    } finally {
      this.leave(first);
    }
  }

  /** From now on the instance is ours. */
  *attach(opening: Opening): Task<void> {
    this.#openings.add(opening);
    const { place } = opening;
    try {
      yield* this.tell(place, this.#object.toAttach(place.instance));
    } catch (e) {
      const refused =
        isKernelError(e, 'unsupported') ||
        (isKernelError(e, 'peerDown') && (yield* this.#parts.probe(place.manager)) === 'here');
      if (refused)
        this.#openings.delete(opening); // it stays the caller's
      else this.leave(opening);
      this.closeUnused();
      throw refused ? new KernelError('unsupported', 'an object whose manager lends no pages') : e;
    }
    for (const o of [...this.#openings]) if (o.uses === 0) this.#close(o);
  }

  /** One use fewer. The last opening stays as long as there are pages. */
  leave(opening: Opening): void {
    if (--opening.uses > 0) return;
    if (this.#openings.size > 1 || this.#lost) this.#close(opening);
    this.closeUnused();
  }

  /** It is somebody else's from now on, and is not released. */
  depart(opening: Opening): void {
    this.#openings.delete(opening);
    this.closeUnused();
  }

  /** Does anybody else use the object? */
  isShared(opening: Opening): boolean {
    for (const o of this.#openings) if (o !== opening && o.uses > 0) return true;
    return false;
  }

  /** Closes all when nobody uses the object and nothing of it is here. */
  closeUnused(): void {
    if (this.#object.occupied || this.#recovering) return;
    for (const o of this.#openings) if (o.uses > 0) return;
    for (const o of [...this.#openings]) this.#close(o);
    this.#object.unused();
  }

  #close(opening: Opening): void {
    if (!this.#openings.delete(opening)) return;
    this.#parts.machine.scope.spawn('vm.release', this.#release(opening.place));
  }

  *#release({ manager, instance }: Place): Task<void> {
    try {
      yield* this.#parts.senders.send(manager, toRelease(instance, 'normal'));
    } catch (e) {
      if (!isKernelError(e)) throw e; // a dead manager has no instances
    }
  }

  /** Returns when what is known here of the object holds. @throws KernelError `objectLost` */
  *current(opening: Opening): Task<void> {
    while (!this.isCurrent) {
      if (this.#recovering) yield* this.recovered();
      else if (this.#lost) throw new KernelError('objectLost', this.#object.key);
      else yield* this.ask(opening, (instance) => toRenew(instance));
    }
  }

  *recovered(): Task<void> {
    while (this.#recovering) yield* this.#changed.wait();
  }

  // ---- messages ----

  /** A message about the object to its manager, whoever that is by now. */
  *pass(opening: Opening, build: (instance: number) => Message): Task<Message> {
    for (;;) {
      yield* this.recovered();
      if (this.#lost) throw new KernelError('objectLost', this.#object.key);
      const { place } = opening;
      try {
        return yield* this.#parts.senders.send(place.manager, build(place.instance));
      } catch (e) {
        if (!isGone(e)) throw e;
        if (opening.place === place) this.startRecovery();
      }
    }
  }

  *ask(opening: Opening, build: (instance: number) => Message): Task<PageGrant> {
    let sentNs = 0;
    const answer = yield* this.pass(opening, (instance) => {
      sentNs = this.#nowNs;
      return build(instance);
    });
    return this.#answered(answer, sentNs);
  }

  /** Without another attempt. */
  *tell({ manager }: Place, m: Message): Task<PageGrant> {
    const sentNs = this.#nowNs;
    return this.#answered(yield* this.#parts.senders.send(manager, m), sentNs);
  }

  /** The manager knows us as a holder. */
  #answered(answer: Message, sentNs: number): PageGrant {
    const grant = granted(answer);
    this.#confirmedNs = Math.max(this.#confirmedNs, sentNs);
    this.#object.resized(grant.version, grant.sizeBytes);
    return grant;
  }

  anyOpening(): Opening {
    for (const o of this.#openings) return o;
    throw new KernelError('objectLost', this.#object.key);
  }

  // ---- after the manager's silence or death ----

  /** What is dirty has to be confirmed before the lease is over: a manager that has come back takes it only so long. */
  get needsContact(): boolean {
    if (this.#recovering || this.#lost) return false;
    return this.#nowNs - this.#confirmedNs >= leaseNs / 4;
  }

  *contact(): Task<void> {
    const { place } = this.anyOpening();
    try {
      yield* this.tell(place, toRenew(place.instance));
    } catch (e) {
      if (!isKernelError(e)) throw e;
      this.startRecovery();
    }
  }

  startRecovery(): void {
    if (this.#recovering || this.#lost) return;
    this.#recovering = true;
    this.#parts.machine.scope.spawn('vm.recover', this.#recover());
  }

  *#recover(): Task<void> {
    try {
      for (;;) {
        try {
          yield* this.#findAgain();
          return;
        } catch (e) {
          if (!isKernelError(e)) throw e;
          if (!mayCome.has(e.kind)) {
            this.#lost = true;
            this.#object.dropAll();
            return;
          }
          yield* sleep(lookAgainNs);
        }
      }
    } finally {
      this.#recovering = false;
      this.#changed.wakeAll();
      this.closeUnused();
    }
  }

  /** @throws KernelError what it was that failed; it may be tried again where it stopped */
  *#findAgain(): Task<void> {
    const first = this.anyOpening();
    const known = yield* this.#known(first.place);
    if (known && !this.#claiming) {
      yield* sleep(lookAgainNs); // it was only silent, or refuses for a reason that time may mend
      return;
    }
    if (!known && !(yield* this.#moved(first))) return;
    this.#object.restarted();
    for (const o of this.#openings) yield* this.tell(o.place, this.#object.toAttach(o.place.instance));
    yield* this.#object.claim(first.place);
    this.#object.dropAll();
    this.#claiming = false;
    yield* this.tell(first.place, toRenew(first.place.instance));
  }

  /** All is opened again, at whoever manages it now. False: the manager has been there all the time. */
  *#moved(first: Opening): Task<boolean> {
    if (first.reopen === undefined) throw new KernelError('objectLost', this.#object.key);
    const { place } = first;
    const fresh = yield* first.reopen();
    if (!this.#claiming && fresh.manager === place.manager && (yield* this.#known(place))) {
      yield* this.#release(fresh);
      return false;
    }
    first.place = fresh;
    this.#claiming = true;
    for (const o of this.#openings) if (o !== first && o.reopen !== undefined) o.place = yield* o.reopen();
    return true;
  }

  /** Does the manager live, and know what we have? */
  *#known(place: Place): Task<boolean> {
    try {
      yield* this.tell(place, toRenew(place.instance));
      return true;
    } catch (e) {
      if (!isGone(e)) throw e;
      return false;
    }
  }
}

/** What a manager that is on its way back looks like: its names may not be there yet. */
const mayCome: ReadonlySet<KernelErrorKind> = new Set(['peerDown', 'noAnswer', 'notFound', 'recovering']);
