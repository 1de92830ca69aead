/**
 * A server's part of opens, closes and reopens.
 *
 *   open     walk; pin the file; wait for its turn; consistency; answer, or take the pin away
 *   close    never waits for a turn: a client may have to close in order to answer a callback
 *   reopen   wait for its turn; check the version; consistency with the client's counts; locks
 *   restore  the same, and cut the file to the client's size
 *   move     pin the file; fetch the use from the source, as a close with dirty blocks; then as an open of the target
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { fileOfToken, type Locks, openName, type ServedDomains } from '@backplane/file-service';
import {
  Busy,
  type Caller,
  done,
  type HostId,
  isKernelError,
  KernelError,
  type LockMode,
  type Machine,
  type Move,
  type OpenHow,
  type Recovery,
  type StoredAttributes,
  staleName,
  type Waiter,
  type WireAttempt,
} from '@backplane/slots';
import type { Consistency } from './consistency.ts';
import type { Epochs } from './epochs.ts';
import type { FileTable } from './file-table.ts';
import {
  type CloseRequest,
  type Grant,
  movedHere,
  type Opened,
  type OpenRequest,
  type ReopenRequest,
} from './open-procedures.ts';
import type { ServerFile } from './server-file.ts';
import { keepTimes } from './server-times.ts';
import { usesOf, writes } from './uses.ts';

export interface OpensParts {
  readonly machine: Machine;
  readonly domains: ServedDomains;
  readonly table: FileTable;
  readonly consistency: Consistency;
  readonly epochs: Epochs;
  readonly locks: Locks;
  readonly recovery: Recovery | undefined;
}

export class ServerOpens {
  static {
    tasks(ServerOpens);
  }

  readonly #parts: OpensParts;

  constructor(parts: OpensParts) {
    this.#parts = parts;
  }

  *open(q: OpenRequest, from: Caller): Task<WireAttempt<Opened>> {
    const { domains, recovery, epochs } = this.#parts;
    const epoch = epochs.of(from.host);
    if (recovery?.admits(from.host, from.bootId) === false)
      throw new KernelError('recovering', 'its reopening is not complete');
    try {
      const domain = domains.of(q.start);
      const opened = yield* openName(domain, q.how, q.start, q.path, { ...q, host: from.host });
      if (opened.is !== 'done') return opened;
      const { file, attributes, created } = opened.value;
      // Devices are opened at the host that has them.
      if (attributes.device !== undefined) return done({ file, ...nothingGranted(attributes) });
      const f = this.#parts.table.visit(domain, file);
      domain.opens.open(file);
      let granted = false;
      try {
        yield* f.inProgress.acquire();
        try {
          const grant = yield* this.#parts.consistency.open(f, from.host, epoch, q.how, created);
          granted = true;
          return done({ file, ...grant });
        } finally {
          f.inProgress.release();
        }
      } finally {
        if (!granted) yield* domain.closed(file);
        this.#parts.table.leave(f);
      }
    } catch (e) {
      if (isKernelError(e, 'stale')) return staleName;
      throw e;
    }
  }

  /** Answers whether that freed the file. */
  *close(q: CloseRequest, from: Caller): Task<boolean> {
    const { machine, table, locks, domains } = this.#parts;
    charge(machine.type.costs.openServerNs, Busy.files);
    const f = table.visit(domains.of(q.file), q.file);
    try {
      if (q.lockOwner !== '') locks.unlock(f.key, ownerOf(from.host, q.lockOwner));
      const client = f.clients.get(from.host);
      const round = client?.round;
      if (client !== undefined) yield* keepTimes(f, q.report);
      // Reopened meanwhile: then the client has told its counts without this open already.
      const same = client !== undefined && f.clients.get(from.host) === client && client.round === round;
      if (!same || client.uses.opens === 0) throw new KernelError('stale', f.key);
      f.close(client, q.uses, q.dirty);
      if (client.uses.opens === 0 && f.lastWriter === from.host) f.pendingSizeBytes = q.report.sizeBytes;
      f.closer = from.host;
      yield* f.domain.closed(f.id);
      return f.removed;
    } finally {
      f.closer = null;
      table.leave(f);
    }
  }

  /** Of a client that was the last writer, has crashed, and is back with its dirty blocks. */
  *restore(q: ReopenRequest, from: Caller): Task<Grant> {
    return yield* this.reopen(q, from, true);
  }

  *reopen(q: ReopenRequest, from: Caller, restores: boolean = false): Task<Grant> {
    const { machine, table, domains, consistency, epochs, locks } = this.#parts;
    const epoch = epochs.of(from.host);
    const f = table.visit(domains.of(q.file), q.file);
    try {
      if (f.departing.has(from.host)) throw new KernelError('recovering', 'a stream of it is moving');
      yield* f.inProgress.acquire();
      try {
        const { grant, closed } = yield* consistency.reopen(f, from.host, epoch, q);
        const client = f.client(from.host);
        client.round = q.round;
        if (q.uses.opens === 0 && q.dirty) f.pendingSizeBytes = q.sizeBytes;
        if (q.uses.opens === 0 && !q.dirty) f.forget(from.host);
        const held = new Map(q.locks.map(({ owner, mode }) => [ownerOf(from.host, owner), mode]));
        const own = ownerOf(from.host, '');
        locks.breakWhere((owner, file) => file === f.key && owner.startsWith(own) && !held.has(owner));
        for (const [owner, mode] of held) {
          // The waiter is one that no stream has: its wake-up is ignored.
          const nobody = { host: machine.host, ticket: 0 };
          regain(locks, f.key, owner, mode, nobody);
        }
        // May block, and the client may be called dead meanwhile: nothing is entered after it.
        for (let i = 0; i < closed; i++) yield* f.domain.closed(f.id);
        // The client may have crashed in the middle of a truncation, or this host have lost one.
        if (restores && grant.attributes.sizeBytes > q.sizeBytes)
          yield* f.domain.storage.truncate(f.id, q.sizeBytes);
        return restores ? { ...grant, emptiedAt: f.history.emptiedAt } : grant;
      } finally {
        f.inProgress.release();
      }
    } finally {
      table.leave(f);
    }
  }

  *move(m: Move): Task<Uint8Array> {
    const file = fileOfToken(String(m.movable.ref.id));
    if (file === undefined) throw new KernelError('badArgument', 'no file');
    const { table, domains } = this.#parts;
    const domain = domains.of(file);
    const f = table.visit(domain, file);
    let entered = false;
    // The target's, from before the source lets go.
    domain.opens.open(file);
    try {
      const moved = yield* this.#moveUse(f, m);
      entered = moved.length > 0;
      return moved;
    } finally {
      if (!entered) yield* domain.closed(file);
      table.leave(f);
    }
  }

  /** Returns nothing when the target joins. The file is pinned for the target. */
  *#moveUse(f: ServerFile, { movable, to, joins, targetLives, release }: Move): Task<Uint8Array> {
    const { machine, consistency, epochs, locks } = this.#parts;
    const { source, streamId, how } = movable;
    const entry = f.clients.get(source);
    if (entry === undefined || entry.uses.opens === 0) throw new KernelError('stale', f.key);
    charge(machine.type.costs.openServerNs, Busy.files);
    const epoch = epochs.of(to);
    let lock: LockMode = 'none';
    let owes = false;
    f.departs(source, 1);
    try {
      const left = yield* release();
      owes = f.lastWriter === source;
      // Dropped meanwhile, it has no use any more that could leave.
      if (left && f.clients.get(source) === entry) {
        f.close(entry, usesOf(how), owes);
        lock = locks.rename(f.key, ownerOf(source, streamId), ownerOf(to, streamId));
        yield* f.domain.closed(f.id);
      }
    } finally {
      f.departs(source, -1);
    }
    if (joins) return nothing;
    if (!targetLives()) throw new KernelError('peerDown', `host ${to}`);
    const owing = owes ? { host: source, epoch: epochs.of(source) } : null;
    const as: OpenHow = { read: true, write: writes(how), execute: how.execute === true };
    yield* f.inProgress.acquire();
    try {
      const grant = yield* consistency.open(f, to, epoch, as, false, owing);
      return movedHere.encode({ grant, lock });
    } finally {
      f.inProgress.release();
    }
  }

  /** What the client has not mentioned in this reopening it does not have: it closed it, or never heard of its open. */
  *reopened(round: number, from: Caller): Task<null> {
    const { table, locks, epochs } = this.#parts;
    epochs.end(from.host);
    for (const f of table.all()) {
      const client = f.clients.get(from.host);
      if (client === undefined || client.round === round) continue;
      yield* f.drop(from.host);
      table.forgetIfIdle(f);
    }
    const own = ownerOf(from.host, '');
    locks.breakWhere((owner, file) => owner.startsWith(own) && !table.has(file, from.host));
    return null;
  }
}

const nothing = new Uint8Array(0);

export const ownerOf = (host: HostId, stream: string): string => `${host}/${stream}`;

/** A lock that somebody else has taken since the crash is lost: locks are advice. */
function regain(locks: Locks, file: string, owner: string, mode: LockMode, waiter: Waiter): void {
  try {
    locks.lock(file, owner, mode, waiter);
  } catch (e) {
    if (!isKernelError(e, 'wouldBlock')) throw e;
  }
}

const nothingGranted = (attributes: StoredAttributes): Grant => ({
  cacheable: false,
  stamp: { life: 0, number: 0 },
  goodFrom: { number: 0, thisLife: false },
  emptiedAt: 0,
  attributes,
});
