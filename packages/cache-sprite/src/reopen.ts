/**
 * After a server's reboot, or a partition: tells it what this host has of its files (Welch 1990, chapter 6).
 *
 *   a file is           action
 *   open, or dirty      FS_REOPEN: counts, version, is it cached, is it dirty, locks; take up the server's grant
 *   dirty and closed    the same; and if nothing is dirty by then, once more without: the server forgets it
 *   clean and closed    nothing: its version is looked at when it is next opened
 *   dirty, and has      FS_RESTORE, with the same; then write its blocks back
 *   survived a crash
 *   of this host
 *   refused             it dies alone: its opens are stale, its dirty blocks are lost
 *
 * In the end the server is told that this was all, and closes what it has entered for this host and was not mentioned.
 * Everything here may be run again at any time; a server that goes down meanwhile ends it.
 */
import { type Task, tasks } from '@backplane/engine';
import { type HostId, isKernelError } from '@backplane/slots';
import type { ClientFile } from './client-file.ts';
import type { ClientFiles } from './client-files.ts';
import type { ClientParts } from './client-parts.ts';
import { ifPossible } from './file-write.ts';
import { handlesReopened, reopenFile, restoreFile } from './open-procedures.ts';
import { traceSurvivors } from './trace-kinds.ts';

export class Reopening {
  static {
    tasks(Reopening);
  }

  readonly #parts: ClientParts;
  readonly #files: ClientFiles;
  #rounds = 0;

  constructor(parts: ClientParts, files: ClientFiles) {
    this.#parts = parts;
    this.#files = files;
  }

  /** @throws KernelError `peerDown` */
  *run(server: HostId): Task<void> {
    const round = ++this.#rounds;
    const { servers } = this.#parts;
    const unanswered = servers.unansweredWrites(server);
    for (const f of this.#files.ofServer(server)) yield* this.#reopen(f, round, unanswered);
    servers.answeredWrites(server, unanswered);
    try {
      yield* this.#parts.calls.call(server, handlesReopened, round);
    } catch (e) {
      // A host that has no files of ours at all.
      if (!isKernelError(e, 'unsupported')) throw e;
    }
  }

  *#reopen(f: ClientFile, round: number, unanswered: number): Task<void> {
    yield* f.counts.acquire();
    try {
      if (f.lost || !(f.isOpen || f.dirtyBlocks > 0)) return;
      const toldDirty = yield* this.#tell(f, round, unanswered);
      this.#parts.counters.handlesReopened++;
      this.#giveBack(f);
      if (f.isOpen || !toldDirty) return;
      // The last dirty block may have arrived before the server was told of it, which would wait for it in vain.
      yield* f.awaitWriteBacks();
      if (f.dirtyBlocks === 0) yield* this.#tell(f, round, unanswered);
    } catch (e) {
      if (!isKernelError(e) || e.kind === 'peerDown' || e.kind === 'recovering') throw e;
      f.lose();
      this.#files.lost(f);
    } finally {
      f.counts.release();
    }
  }

  /** Returns whether the server was told of dirty blocks. */
  *#tell(f: ClientFile, round: number, unanswered: number): Task<boolean> {
    const dirty = f.dirtyBlocks > 0;
    const before = f.unansweredReopens;
    if (dirty || f.uses.writers > 0) f.unansweredReopens++;
    f.tellAside();
    const survived = dirty && f.cacheable && f.aside !== null && f.aside.survivors.size > 0;
    const grant = yield* this.#parts.calls.call(f.server, survived ? restoreFile : reopenFile, {
      file: f.id,
      round,
      uses: f.uses,
      cached: f.isOpen && f.cacheable,
      dirty,
      version: f.version,
      unanswered: unanswered + before,
      sizeBytes: f.sizeBytes,
      locks: [...f.locks].map(([owner, mode]) => ({ owner, mode })),
    });
    f.unansweredReopens = 0;
    yield* f.adopt(grant);
    return dirty;
  }

  /** What has survived a crash of this host goes to the server now, in the background; what cannot, for its age. */
  #giveBack(f: ClientFile): void {
    if (f.aside === null || f.aside.survivors.size === 0) return;
    const { machine } = this.#parts;
    const blocks = f.aside.survivors.size;
    traceSurvivors(machine, { server: f.server, label: f.aside.label, blocks, outcome: 'admitted' });
    machine.scope.spawn('give back', ifPossible(f.flush()));
  }

  /** Whoever waits for a lock asks again: the server has forgotten that he waits. */
  *wake(server: HostId): Task<void> {
    for (const f of this.#files.ofServer(server))
      for (const waiter of f.lockWaiters.values()) this.#parts.streams.wake(waiter);
  }
}
