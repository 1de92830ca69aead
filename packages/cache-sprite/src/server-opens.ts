/**
 * A server's part of opens, closes and reopens.
 *
 *   open     walk; pin the file; wait for its turn; consistency; answer, or take the pin away
 *   close    never waits for a turn: a client may have to close in order to answer a callback
 *   reopen   wait for its turn; check the version; consistency with the client's counts; locks
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { type Locks, openName, type ServedDomains } from '@backplane/file-service';
import {
  Busy,
  type Caller,
  done,
  type HostId,
  isKernelError,
  KernelError,
  type LockMode,
  type Machine,
  type Recovery,
  type StoredAttributes,
  staleName,
  type Waiter,
  type WireAttempt,
} from '@backplane/slots';
import type { Consistency } from './consistency.ts';
import type { Deaths } from './deaths.ts';
import type { FileTable } from './file-table.ts';
import type { CloseRequest, Grant, Opened, OpenRequest, ReopenRequest } from './open-procedures.ts';
import type { ServerFile } from './server-file.ts';
import { keepTimes } from './server-times.ts';
import { isGood } from './stamp.ts';

export interface OpensParts {
  readonly machine: Machine;
  readonly domains: ServedDomains;
  readonly table: FileTable;
  readonly consistency: Consistency;
  readonly deaths: Deaths;
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
    const { domains, recovery, deaths } = this.#parts;
    const died = deaths.of(from.host);
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
          const grant = yield* this.#parts.consistency.open(f, from.host, died, q.how, created);
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
      if (entered(f, from.host)) yield* keepTimes(f, q.report);
      const client = f.clients.get(from.host);
      if (client === undefined || client.uses.opens === 0) throw new KernelError('stale', f.key);
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

  *reopen(q: ReopenRequest, from: Caller): Task<Grant> {
    const { machine, table, domains, consistency, deaths, locks } = this.#parts;
    const died = deaths.of(from.host);
    const f = table.visit(domains.of(q.file), q.file);
    try {
      yield* f.inProgress.acquire();
      try {
        const grant = yield* consistency.reopen(f, from.host, died, q, (stored) =>
          isGood(q.version, f.history.goodFrom(from.host, stored), machine.bootId),
        );
        const client = f.client(from.host);
        client.round = q.round;
        if (q.uses.opens === 0 && q.dirty) f.pendingSizeBytes = q.sizeBytes;
        if (q.uses.opens === 0 && !q.dirty) f.forget(from.host);
        for (const { owner, mode } of q.locks) {
          // The waiter is one that no stream has: its wake-up is ignored.
          const nobody = { host: machine.host, ticket: 0 };
          regain(locks, f.key, ownerOf(from.host, owner), mode, nobody);
        }
        return grant;
      } finally {
        f.inProgress.release();
      }
    } finally {
      table.leave(f);
    }
  }

  /** What the client has not mentioned in this reopening it does not have: it closed it, or never heard of its open. */
  *reopened(round: number, from: Caller): Task<null> {
    const { table, locks } = this.#parts;
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

export const ownerOf = (host: HostId, stream: string): string => `${host}/${stream}`;

const entered = (f: ServerFile, host: HostId): boolean => f.clients.has(host);

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
