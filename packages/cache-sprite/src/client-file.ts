/**
 * One remote file as its client sees it: Sprite's remote file handle. All opens of the file on this host share it.
 *
 *   state        event                                      action                                   next
 *   remote       a grant says "may cache"                   drop stale blocks                        cached
 *   remote       the same, and a file that was forbidden    the server has forgotten its opens:      remote
 *                copies is still open                       doubt it, so that it is told
 *   cached       a grant says "may not"                     write back, drop all                     remote
 *   cached       callback: invalidate                       write back, drop all                     remote
 *   cached       a grant with a later good version          drop all, dirty or not                   cached
 *   any          the file was emptied, or is gone           drop all, dirty or not                   same
 *   any          its server refuses to reopen it            drop all, dirty or not                   lost
 *
 * Grants are numbered by stamps, and an older one that comes late changes nothing.
 *
 * Four locks, always taken in this order:
 *   counts    a close, a lock and a reopening each tell the server what this host has: one at a time
 *   access    readers share it; a writer, and whoever changes what may be cached, has it alone. Never held while waiting
 *             for a server to come back
 *   (the block cache's own)
 *   gate      write-backs share it; a close or a truncation, which must not meet one, has it alone
 *
 * Lost in a crash: everything, dirty blocks among it, except those that have a copy aside.
 */
import { Mutex, type Task, tasks } from '@backplane/engine';
import { fileKey } from '@backplane/file-service';
import {
  type Attributes,
  type CachedObject,
  type FileId,
  type HostId,
  isKernelError,
  KernelError,
  type LockMode,
  type StoredAttributes,
  type Undo,
  type Waiter,
  type WriteDelay,
} from '@backplane/slots';
import { AsideCopies, type KeptState, labelPrefix } from './aside-copies.ts';
import type { ClientParts } from './client-parts.ts';
import { FileBacking } from './file-backing.ts';
import { type Grant, nothingToReport, type Report } from './open-procedures.ts';
import { SharedLock } from './shared-lock.ts';
import { isGood, isNewer, noStamp, type Stamp, type Version } from './stamp.ts';
import { traceSurvivors } from './trace-kinds.ts';
import { noUses, type Uses } from './uses.ts';

/** The same text as the file's identity in attributes. */
export const clientKey = (server: HostId, f: FileId): string => `${server}:${fileKey(f)}`;

export class ClientFile {
  static {
    tasks(ClientFile);
  }

  readonly server: HostId;
  readonly id: FileId;
  readonly key: string;
  readonly parts: ClientParts;
  readonly counts: Mutex = new Mutex();
  readonly access: SharedLock = new SharedLock();
  readonly gate: SharedLock = new SharedLock();
  /** Opens on this host. */
  uses: Uses = noUses;
  cacheable = false;
  /** Copies have been forbidden, and are until all opens on this host are closed. */
  forbidden = false;
  version: Version = { number: 0, life: 0 };
  stamp: Stamp = noStamp;
  /** As the server gave them with the newest grant. */
  attributes: StoredAttributes;
  /** While it is cached, this host is the only one that changes it. */
  sizeBytes = 0;
  modifyNs = 0;
  accessNs = 0;
  lost = false;
  /** On a machine that has a memory for copies of dirty blocks. */
  readonly aside: AsideCopies | null;
  /** Reopens with a writer or dirty blocks that the server may have executed and has not answered: each may have made a version. */
  unansweredReopens = 0;
  /** Locks held through opens of this host, by stream. */
  readonly locks: Map<string, LockMode> = new Map();
  /** Who waits for the lock: to be woken when the server has forgotten them. */
  readonly lockWaiters: Map<object, Waiter> = new Map();
  /** Of its blocks in the cache: no other file object ever has the same, so that late ones of a lost file hurt nobody. */
  readonly #blocksKey: string;
  readonly #writeDelay: WriteDelay;
  #blocks: CachedObject | null = null;
  #unwatch: Undo | null = null;

  /**
   * @param serial tells it from earlier objects for the same file
   * @param label of a file whose blocks have survived a crash
   */
  constructor(
    parts: ClientParts,
    server: HostId,
    id: FileId,
    attributes: StoredAttributes,
    writeDelay: WriteDelay,
    serial: number,
    label?: string,
  ) {
    const { aside, machine } = parts;
    this.parts = parts;
    this.server = server;
    this.id = id;
    this.key = clientKey(server, id);
    this.attributes = attributes;
    this.#writeDelay = writeDelay;
    this.#blocksKey = `sprite/${this.key}/${serial}`;
    this.aside =
      aside === null
        ? null
        : new AsideCopies(aside, label ?? `${labelPrefix}${this.key}/${machine.bootId}.${serial}`);
  }

  get isLocal(): boolean {
    return this.server === this.parts.machine.host;
  }

  /** Its dirty blocks stay until they are asked for, whatever the policy of writes and closes. */
  get isTemporary(): boolean {
    return this.#writeDelay === 'never';
  }

  get isOpen(): boolean {
    return this.uses.opens > 0;
  }

  get dirtyBlocks(): number {
    return this.#blocks?.dirtyBlocks ?? 0;
  }

  get cachedBlocks(): number {
    return this.#blocks?.cachedBlocks ?? 0;
  }

  /** Of a file that is cached. */
  get blocks(): CachedObject {
    this.#blocks ??= this.parts.blockCache.object(this.#blocksKey, new FileBacking(this), {
      writeDelayNs: this.#writeDelay,
      ...(this.aside !== null && { label: this.aside.label }),
    });
    return this.#blocks;
  }

  /** @throws KernelError `stale` when the server has refused to reopen it */
  demandUsable(): void {
    if (this.lost) throw new KernelError('stale', this.key);
  }

  // ---- what the server decides ----

  /** Takes up what came with an open or a reopening. */
  *adopt(grant: Grant): Task<void> {
    yield* this.access.takeAlone();
    try {
      if (isNewer(grant.stamp, this.stamp)) yield* this.#adoptAlone(grant);
    } finally {
      this.access.giveBack();
    }
  }

  *#adoptAlone(grant: Grant): Task<void> {
    const { life } = grant.stamp;
    const emptied = grant.emptiedAt > 0 && isNewer({ life, number: grant.emptiedAt }, this.stamp);
    const stale = !isGood(this.version, grant.goodFrom, life);
    let { cacheable } = grant;
    if (cacheable && this.forbidden) {
      // Only a server that has forgotten the other opens says so.
      cacheable = false;
      this.parts.servers.doubt(this.server);
    }
    if (emptied) this.discard();
    else if (stale) this.#dropStale();
    else if (!cacheable) cacheable = !(yield* this.#emptyCache());
    if (emptied || stale || !this.cacheable) {
      this.sizeBytes = grant.attributes.sizeBytes;
      this.modifyNs = 0;
      this.accessNs = 0;
    }
    this.version = { number: grant.attributes.version, life };
    this.stamp = grant.stamp;
    this.attributes = grant.attributes;
    this.cacheable = cacheable;
    this.forbidden = !cacheable && this.isOpen;
    this.tellAside();
  }

  #dropStale(): void {
    const { counters } = this.parts;
    if (this.cachedBlocks > 0) counters.versionMisses++;
    counters.blocksLost += this.dirtyBlocks;
    this.changedAtServer();
    this.#letGo();
    this.#blocks?.drop('all');
  }

  /** Writes back and drops all. False when something could not be written: it stays, and the server will ask again. */
  *#emptyCache(): Task<boolean> {
    try {
      yield* this.flush();
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return false;
    }
    this.#blocks?.drop('all');
    return true;
  }

  /** By order of the server: no copies from now on. The caller has the access alone, and nothing is dirty. */
  stopCaching(): void {
    this.cacheable = false;
    this.forbidden = this.isOpen;
    this.#blocks?.drop('all');
  }

  /** Nobody wants the blocks any more, dirty or not. */
  discard(): void {
    this.parts.counters.blocksDiscarded += this.dirtyBlocks;
    this.aside?.dropped();
    this.#blocks?.drop('all');
    this.settled();
  }

  /** The server does not know the file in the state that we have: it is of no use any more. */
  lose(): void {
    this.lost = true;
    this.parts.counters.handlesLost++;
    this.parts.counters.blocksLost += this.dirtyBlocks;
    this.#letGo();
    this.#blocks?.drop('all');
    this.settled();
  }

  // ---- changes here ----

  /** A program has written up to this offset, into the cache. */
  wrote(end: number): void {
    if (end > this.sizeBytes) this.sizeBytes = end;
    this.modifyNs = this.parts.machine.engine.nowNs;
    this.tellAside();
    this.#watch();
  }

  // ---- copies that survive a crash ----

  /** Keeps what this machine must know of the file after a crash. Nothing to do while no block of it has a copy. */
  tellAside(sizeBytes: number = this.sizeBytes): void {
    if (this.aside === null || this.lost || this.dirtyBlocks === 0) return;
    const { server, id, version, stamp, modifyNs, unansweredReopens } = this;
    this.aside.tell({ server, id, version, stamp, sizeBytes, modifyNs, unansweredReopens });
  }

  /** Something was done at the server that may not be on its disk. */
  changedAtServer(): void {
    if (this.aside !== null) this.aside.changes++;
  }

  /**
   * For fsync: true when a crash of this machine would cost nothing that is dirty now, and from now on one of the server
   * would not either. Write-backs that are under way end first.
   */
  *promiseAside(): Task<boolean> {
    const { aside } = this;
    if (aside === null || !this.cacheable || (this.dirtyBlocks > 0 && !aside.covers(this.blocks)))
      return false;
    yield* this.gate.takeAlone();
    const covered = this.cacheable && (this.dirtyBlocks === 0 || aside.covers(this.blocks));
    aside.promised ||= covered && this.dirtyBlocks > 0;
    this.gate.giveBack();
    return covered;
  }

  /** Blocks of an earlier life of this machine come back. False when there is no room for them. */
  revive(state: KeptState, blocks: readonly number[]): boolean {
    if (this.aside?.recover(this.blocks, blocks) !== true) return false;
    this.version = state.version;
    this.stamp = state.stamp;
    this.sizeBytes = state.sizeBytes;
    this.modifyNs = state.modifyNs;
    this.unansweredReopens = state.unansweredReopens;
    this.cacheable = true;
    this.#watch();
    return true;
  }

  /** Survivors among its blocks are of no use any more. */
  #letGo(): void {
    const { counters, machine } = this.parts;
    const blocks = this.aside?.dropped() ?? 0;
    if (this.aside === null || blocks === 0) return;
    counters.survivorsRefused += blocks;
    traceSurvivors(machine, { server: this.server, label: this.aside.label, blocks, outcome: 'refused' });
  }

  /** Size and times, as far as the server does not have them. */
  get report(): Report {
    if (!this.cacheable) return nothingToReport;
    const { sizeBytes, accessNs } = this;
    return { sizeBytes, modifyNs: this.dirtyBlocks > 0 ? this.modifyNs : 0, accessNs };
  }

  /** The server's answer about attributes, with what only this host knows: it is the one that changes the file. */
  overlaid(a: Attributes): Attributes {
    if (!this.cacheable || !this.isOpen) return a;
    return {
      ...a,
      sizeBytes: this.sizeBytes,
      modifyNs: this.dirtyBlocks > 0 ? this.modifyNs : a.modifyNs,
      accessNs: Math.max(a.accessNs, this.accessNs),
    };
  }

  /** Returns when the write-backs that are under way have ended. */
  *awaitWriteBacks(): Task<void> {
    yield* this.gate.takeAlone();
    this.gate.giveBack();
  }

  /** Returns when nothing is dirty that was when it was called. @throws what the write-back throws */
  *flush(): Task<void> {
    if (this.dirtyBlocks > 0) yield* this.blocks.flush();
  }

  // ---- who must know ----

  opened(uses: Uses): void {
    this.uses = uses;
    this.#watch();
  }

  closed(uses: Uses): void {
    this.uses = uses;
    if (!this.isOpen) this.forbidden = false;
  }

  /** After a close or a write-back: a server on which nothing is left of it need not be watched for its sake. */
  settled(dirtyBlocks: number = this.dirtyBlocks): void {
    if (!this.lost && (this.isOpen || dirtyBlocks > 0)) return;
    this.#unwatch?.();
    this.#unwatch = null;
  }

  /** Forgets the object in the block cache, which has no blocks of it. */
  release(): void {
    this.#blocks?.release();
    this.#blocks = null;
  }

  #watch(): void {
    if (this.#unwatch === null && !this.isLocal)
      this.#unwatch = this.parts.transport.peers.watch(this.server);
  }
}
