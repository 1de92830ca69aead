/**
 * Sprite's consistency algorithm, run by a file's server at each open (Nelson, Welch, Ousterhout 1988, section 5; Nelson
 * 1988, chapter 5). In order:
 *
 *   1. one open of a file at a time: the caller holds its `inProgress`
 *   2. executing a file that is open for writing, or writing one that is executed, is `busy`
 *   3. the client may keep copies of an ordinary file unless a writer shares it with another host; once that has happened,
 *      nobody may until everybody has closed it
 *   4. every other client X is called back as far as needed:
 *        X keeps no copies                                  nothing
 *        copies stay allowed, X did not write last          nothing
 *        copies stay allowed, X wrote last                  write back
 *        copies are forbidden, X reads                      invalidate
 *        copies are forbidden, X writes, or wrote last      write back and invalidate
 *   5. then the first half of 3 is asked again: everybody else may have closed the file meanwhile, or be dead
 *   6. an open for writing gets the next version, and its client is the last writer if it may keep copies; each open gets
 *      a new stamp
 *   7. callbacks have a minute. A client that died is forgotten; one that did not report is dropped from this file, so that
 *      what it sends later is refused and it has to reopen. Only "no space" for what was to be written back fails the open.
 *
 * The client that opens is never called back: it mends its own cache by the reply. Nor is this host: its own programs
 * read and write the storage itself and never keep copies.
 */
import { sleep, type Task, tasks } from '@backplane/engine';
import {
  type HostId,
  KernelError,
  kernelErrorNumber,
  type Machine,
  type OpenHow,
  type StoredAttributes,
} from '@backplane/slots';
import { type Callback, type Callbacks, patienceNs, resendNs } from './callbacks.ts';
import { consistFlags } from './consist-procedures.ts';
import type { Counters } from './counters.ts';
import type { Epochs } from './epochs.ts';
import type { Grant, ReopenRequest } from './open-procedures.ts';
import type { ClientEntry, ServerFile } from './server-file.ts';
import { judge } from './stamp.ts';
import { plus, type Uses, usesOf } from './uses.ts';

const noSpace = /* @__PURE__ */ kernelErrorNumber('noSpace');

/** A client that may have dirty blocks, and its epoch at that time. */
interface Owing {
  readonly host: HostId;
  readonly epoch: number;
}

export class Consistency {
  static {
    tasks(Consistency);
  }

  readonly #machine: Machine;
  readonly #callbacks: Callbacks;
  readonly #epochs: Epochs;
  readonly #counters: Counters;
  /** May clients keep copies at all? */
  readonly #clientCaching: boolean;
  #stamps = 0;

  constructor(
    machine: Machine,
    callbacks: Callbacks,
    epochs: Epochs,
    counters: Counters,
    clientCaching: boolean,
  ) {
    this.#machine = machine;
    this.#callbacks = callbacks;
    this.#epochs = epochs;
    this.#counters = counters;
    this.#clientCaching = clientCaching;
  }

  /**
   * One open.
   *
   * @param epoch the client's, when the server began to work on it
   * @param owing a stream comes from this client, which may have dirty blocks of it, and had that epoch then
   * @throws KernelError `busy`; `stale` when what it owes is lost; `noSpace`; `recovering` when that epoch has ended meanwhile
   */
  *open(
    f: ServerFile,
    from: HostId,
    epoch: number,
    how: OpenHow,
    created: boolean,
    owing: Owing | null = null,
  ): Task<Grant> {
    const added = usesOf(how);
    this.#demandNotBusy(f, added);
    const writing = added.writers > 0;
    const shared = f.isSharedWith(from, writing);
    const lost = yield* this.#callBack(f, from, shared);
    this.#epochs.demand(from, epoch);
    if (owing !== null && (lost.includes(owing.host) || this.#epochs.of(owing.host) !== owing.epoch))
      throw new KernelError('stale', 'what was written before the move is lost');
    const { storage } = f.domain;
    const number = ++this.#stamps;
    if (how.truncate === true && !created) {
      f.emptiedAt = number;
      f.history.emptiedAt = number;
      yield* storage.truncate(f.id, 0);
    }
    const before = (yield* storage.attributes(f.id)).version;
    if (writing) yield* storage.setAttributes(f.id, { version: before + 1 });
    const attributes = yield* storage.attributes(f.id);
    this.#epochs.demand(from, epoch);

    // From here on nothing blocks.
    const sharing = this.#decide(f, shared && f.isOpenElsewhere(from));
    const cacheable = !sharing && this.#mayCache(attributes, from);
    if (writing) f.history.written(from, before);
    const client = f.client(from);
    client.uses = plus(client.uses, added);
    if (writing && (cacheable || f.lastWriter !== from)) f.lastWriter = cacheable ? from : null;
    return this.#grant(f, client, number, cacheable, attributes);
  }

  /**
   * After a reboot, or a partition: the client says what it has. The same rules, with its counts as they are.
   *
   * @returns the grant; and how many opens the client has closed while the server could not be told, still to be closed here
   * @throws KernelError `stale`: others have written what it has dirty. Clean copies are only dropped, as at an open:
   *   somebody may have written in a life of the server that did not know yet who else had the file
   */
  *reopen(
    f: ServerFile,
    from: HostId,
    epoch: number,
    has: Pick<ReopenRequest, 'uses' | 'cached' | 'dirty' | 'version' | 'unanswered'>,
  ): Task<{ readonly grant: Grant; readonly closed: number }> {
    const { storage } = f.domain;
    const copies = has.cached || has.dirty;
    const { version: stored } = yield* storage.attributes(f.id);
    const theirs = f.history.goodFrom(from, stored);
    const verdict = judge(has.version, has.unanswered, theirs, this.#machine.bootId);
    if (has.dirty && verdict === 'old') throw new KernelError('stale', 'written by others meanwhile');
    // Copies that were forbidden before the crash stay forbidden.
    const wasShared = has.uses.opens > 0 && !has.cached;
    const writing = has.uses.writers > 0 || has.dirty;
    const shared = wasShared || f.isSharedWith(from, writing);
    yield* this.#callBack(f, from, shared);
    // A writer that this life did not know of: who read in its absence finds a new version, once its bytes are here.
    const known = f.clients.get(from);
    const renewed =
      writing && ((known?.uses.writers ?? 0) < has.uses.writers || (has.dirty && f.lastWriter !== from));
    const version = (copies ? Math.max(stored, has.version.number) : stored) + (renewed ? 1 : 0);
    if (version !== stored) yield* storage.setAttributes(f.id, { version });
    const attributes = yield* storage.attributes(f.id);
    this.#epochs.demand(from, epoch);

    // From here on nothing blocks.
    const sharing = this.#decide(f, wasShared || (shared && f.isOpenElsewhere(from)));
    const cacheable = !sharing && this.#mayCache(attributes, from);
    if (renewed) f.history.written(from, version - 1);
    const client = f.client(from);
    const more = has.uses.opens - client.uses.opens;
    for (let i = 0; i < more; i++) f.domain.opens.open(f.id);
    client.uses = has.uses;
    const last = has.dirty || (cacheable && has.uses.writers > 0);
    if (last) f.lastWriter = from;
    else if (f.lastWriter === from) f.lastWriter = null;
    if (has.dirty) client.caching = true;
    const grant = this.#grant(f, client, ++this.#stamps, cacheable, attributes);
    // In doubt dirty blocks are believed, and clean ones fetched again.
    const goodFrom = { number: has.dirty ? has.version.number : version, thisLife: false };
    return { grant: verdict === 'doubtful' ? { ...grant, goodFrom } : grant, closed: Math.max(0, -more) };
  }

  #grant(
    f: ServerFile,
    client: ClientEntry,
    number: number,
    cacheable: boolean,
    attributes: StoredAttributes,
  ): Grant {
    client.stamp = number;
    if (cacheable) client.caching = true;
    return {
      cacheable,
      stamp: { life: this.#machine.bootId, number },
      goodFrom: f.history.goodFrom(client.host, attributes.version),
      emptiedAt: f.emptiedAt,
      attributes,
    };
  }

  #demandNotBusy(f: ServerFile, added: Uses): void {
    const { writers, executers } = f.uses;
    if (added.executers > 0 && writers > 0) throw new KernelError('busy', 'open for writing');
    if (added.writers > 0 && executers > 0) throw new KernelError('busy', 'being executed');
  }

  #mayCache(a: StoredAttributes, client: HostId): boolean {
    return this.#clientCaching && a.type === 'file' && client !== this.#machine.host;
  }

  /** Returns whether copies are forbidden: because the file is shared now, or has been and is not closed since. */
  #decide(f: ServerFile, sharing: boolean): boolean {
    if (sharing && !f.shared) {
      f.shared = true;
      this.#counters.disables++;
    }
    return f.shared;
  }

  /** Returns when all others have done what they have to; and who was dropped instead. @throws KernelError `noSpace` */
  *#callBack(f: ServerFile, from: HostId, sharing: boolean): Task<readonly HostId[]> {
    let hosts: HostId[] = [];
    for (const c of f.clients.values())
      if (c.host !== from && this.#needed(f, c, sharing) !== 0) hosts.push(c.host);
    if (hosts.length === 0) return [];
    this.#counters.consistActions++;
    const { engine } = this.#machine;
    const untilNs = engine.nowNs + patienceNs;
    const sent: Callback[] = [];
    while (hosts.length > 0 && engine.nowNs < untilNs) {
      const again: HostId[] = [];
      for (const host of hosts) {
        // The list has changed while others were called: closed, written back, dead.
        const client = f.clients.get(host);
        const flags = client === undefined ? 0 : this.#needed(f, client, sharing);
        if (client === undefined || flags === 0) continue;
        const callback = yield* this.#callbacks.send(f, client, flags);
        if (callback === 'refused') again.push(host);
        else sent.push(callback);
      }
      hosts = again;
      if (hosts.length > 0) yield* sleep(resendNs);
    }
    yield* this.#callbacks.await(sent, untilNs);
    for (const host of hosts) yield* this.#expel(f, host);
    let full = false;
    for (const c of sent) full = (yield* this.#conclude(f, c)) || full;
    if (full) throw new KernelError('noSpace', 'for what another client has to write back');
    return [...hosts, ...sent.filter((c) => c.state !== 'done' || c.error !== 0).map((c) => c.host)];
  }

  #needed(f: ServerFile, x: ClientEntry, sharing: boolean): number {
    const { writeBack, invalidate } = consistFlags;
    if (!x.caching || x.host === this.#machine.host) return 0;
    const last = f.lastWriter === x.host;
    if (!sharing) return last ? writeBack : 0;
    return last || x.uses.writers > 0 ? writeBack | invalidate : invalidate;
  }

  /** What a callback has come to. Returns true if its client found no space for its dirty blocks. */
  *#conclude(f: ServerFile, c: Callback): Task<boolean> {
    if ((c.flags & consistFlags.writeBack) !== 0) this.#counters.recalls++;
    if ((c.flags & consistFlags.invalidate) !== 0) this.#counters.invalidations++;
    if (c.state === 'dead') {
      if (f.clients.has(c.host)) this.#counters.clientsDropped++;
      yield* f.drop(c.host);
    } else if (c.state === 'done' && c.error === noSpace) return true;
    else if (c.state === 'done' && c.error === 0) this.#obeyed(f, c);
    else yield* this.#expel(f, c.host);
    return false;
  }

  #obeyed(f: ServerFile, c: Callback): void {
    const client = f.clients.get(c.host);
    if (client === undefined) return;
    const invalidated = (c.flags & consistFlags.invalidate) !== 0;
    if (invalidated) client.caching = false;
    const writtenBack = (c.flags & consistFlags.writeBack) !== 0;
    if (writtenBack && f.lastWriter === c.host && (invalidated || client.uses.writers === 0)) {
      f.lastWriter = null;
      f.pendingSizeBytes = 0;
    }
    if (client.uses.opens === 0 && f.lastWriter !== c.host) f.forget(c.host);
  }

  *#expel(f: ServerFile, host: HostId): Task<void> {
    this.#counters.timeouts++;
    yield* f.drop(host);
  }
}
