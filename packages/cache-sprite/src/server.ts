/**
 * The server's half: its handlers, and what it hears of its clients. Handlers are there from the start but wait until the
 * storages are whole: a client that finds the host alive must not be told that its files are unknown. From the beginning of
 * a halt they wait again, and no client is judged any more, since none can answer.
 *
 * Lost in a crash: who has what open, who wrote last, locks, histories. Clients tell it again. What survives is in the
 * storages, the version of each file among it.
 */
import { sleep, type Task, tasks } from '@backplane/engine';
import { Locks, type OwnCalls, ServedDomains } from '@backplane/file-service';
import type {
  FileId,
  HostId,
  Machine,
  Move,
  Naming,
  Recovery,
  Storage,
  StoredAttributes,
  Streams,
  Transport,
} from '@backplane/slots';
import { type Callback, Callbacks, patienceNs, resendNs } from './callbacks.ts';
import { consistFlags, consistReply } from './consist-procedures.ts';
import { Consistency } from './consistency.ts';
import type { Counters } from './counters.ts';
import { Epochs } from './epochs.ts';
import { FileTable } from './file-table.ts';
import {
  fileAttributes,
  lockFile,
  readFile,
  setFileAttributes,
  syncFile,
  truncateFile,
  writeFile,
} from './io-procedures.ts';
import { closeFile, handlesReopened, names, openFile, reopenFile, restoreFile } from './open-procedures.ts';
import type { ServerFile } from './server-file.ts';
import { ServerIo, type ServerWrite } from './server-io.ts';
import { ownerOf, ServerOpens } from './server-opens.ts';
import { keepTimes, timeWasSet, withReport } from './server-times.ts';

export interface ServerParts {
  readonly storages: ReadonlyMap<string, Storage>;
  readonly streams: Streams;
  readonly machine: Machine;
  readonly transport: Transport;
  readonly calls: OwnCalls;
  readonly naming: Naming;
  readonly recovery: Recovery | undefined;
  readonly counters: Counters;
  readonly clientCaching: boolean;
  readonly serverWrite: ServerWrite;
}

export class Server {
  static {
    tasks(Server);
  }

  readonly #parts: ServerParts;
  readonly #domains: ServedDomains;
  readonly #table = new FileTable();
  readonly #epochs = new Epochs();
  readonly #locks: Locks;
  readonly #callbacks: Callbacks;
  readonly #opens: ServerOpens;
  readonly #io: ServerIo;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    const { storages, streams, machine, transport, recovery, counters } = parts;
    const locks = new Locks((w) => streams.wake(w));
    const domains = new ServedDomains(storages, machine, {
      fresh: (f, a, asker) => this.#fresh(f, a, asker),
      freed: (f) => this.#freed(f),
      changed: (f, change) => timeWasSet(this.#table.find(f), change, machine.engine.nowNs),
    });
    const table = this.#table;
    this.#locks = locks;
    this.#domains = domains;
    this.#callbacks = new Callbacks(transport, machine, counters, domains.serving);
    const consistency = new Consistency(
      machine,
      this.#callbacks,
      this.#epochs,
      counters,
      parts.clientCaching,
    );
    this.#opens = new ServerOpens({
      machine,
      domains,
      table,
      consistency,
      epochs: this.#epochs,
      locks,
      recovery,
    });
    this.#io = new ServerIo({ machine, streams, domains, table, locks, serverWrite: parts.serverWrite });
    transport.peers.onDead((host) => this.#died(host));
    this.#serveAll();
  }

  *start(): Task<void> {
    yield* this.#domains.start(this.#parts.naming, 'sprite');
  }

  *move(m: Move): Task<Uint8Array> {
    yield* this.#domains.serving.pass();
    return yield* this.#opens.move(m);
  }

  *halt(): Task<void> {
    yield* this.#domains.halt();
  }

  #serveAll(): void {
    const opens = this.#opens;
    const io = this.#io;
    const calls = this.#domains.serving.over(this.#parts.calls);
    this.#domains.serveNames(calls, names);
    calls.serve(openFile, (q, from) => opens.open(q, from));
    calls.serve(closeFile, (q, from) => opens.close(q, from));
    calls.serve(reopenFile, (q, from) => opens.reopen(q, from));
    calls.serve(restoreFile, (q, from) => opens.restore(q, from));
    calls.serve(handlesReopened, (round, from) => opens.reopened(round, from));
    calls.serve(readFile, (q, from) => io.read(q, from));
    calls.serve(writeFile, (q, from) => io.write(q.record, q.data, from));
    calls.serve(fileAttributes, (q, from) => io.attributes(q, from));
    calls.serve(setFileAttributes, (q, from) => io.setAttributes(q, from));
    calls.serve(truncateFile, (q, from) => io.truncate(q, from));
    calls.serve(syncFile, (q, from) => io.sync(q, from));
    calls.serve(lockFile, (q, from) => io.lock(q, from));
    calls.serve(consistReply, (q, from) => this.#reported(q.ticket, q, from.host));
  }

  // ---- what clients tell ----

  *#reported(
    ticket: number,
    reply: { readonly ticket: number; readonly error: number; readonly report: Callback['report'] },
    from: HostId,
  ): Task<null> {
    const callback = this.#callbacks.find(from, ticket);
    if (callback === undefined) return null; // nobody waits any more
    try {
      if ((callback.flags & consistFlags.writeBack) !== 0) yield* keepTimes(callback.file, reply.report);
    } finally {
      this.#callbacks.reported(callback, reply);
    }
    return null;
  }

  /** Everything of a dead client goes: counts, last writer, locks, callbacks. */
  *#died(host: HostId): Task<void> {
    this.#epochs.end(host);
    this.#callbacks.died(host);
    this.#locks.breakWhere((owner) => owner.startsWith(ownerOf(host, '')));
    for (const f of this.#table.all()) {
      if (!f.clients.has(host)) continue;
      this.#parts.counters.clientsDropped++;
      yield* f.drop(host);
      this.#table.forgetIfIdle(f);
    }
  }

  // ---- attributes that clients have ----

  /**
   * Asks those who keep copies for size and times. A file that is executed is accessed now; the size of one that was closed
   * with dirty blocks is known from its close.
   */
  *#fresh(id: FileId, stored: StoredAttributes, asker: HostId | undefined): Task<StoredAttributes> {
    const f = this.#table.find(id);
    if (f === undefined) return stored;
    const { machine, counters } = this.#parts;
    const untilNs = machine.engine.nowNs + patienceNs;
    const asked: Callback[] = [];
    let executed = false;
    for (const client of [...f.clients.values()]) {
      const { host, uses } = client;
      if (uses.executers > 0) executed = true;
      if (uses.executers > 0 || uses.opens === 0 || host === asker || host === machine.host) continue;
      while (f.clients.get(host) === client && client.caching) {
        const callback = yield* this.#callbacks.send(f, client, consistFlags.attributes);
        if (callback !== 'refused') asked.push(callback);
        if (callback !== 'refused' || machine.engine.nowNs >= untilNs) break;
        yield* sleep(resendNs);
      }
    }
    counters.attributeRecalls += asked.length;
    yield* this.#callbacks.await(asked, untilNs);
    // Meanwhile blocks may have come.
    let fresh = asked.length === 0 ? stored : yield* f.domain.storage.attributes(id);
    for (const c of asked) if (c.state === 'done') fresh = withReport(fresh, f, c.report);
    if (f.pendingSizeBytes > fresh.sizeBytes) fresh = { ...fresh, sizeBytes: f.pendingSizeBytes };
    return executed ? { ...fresh, accessNs: machine.engine.nowNs } : fresh;
  }

  // ---- files that are gone ----

  #freed(id: FileId): void {
    const f = this.#table.removed(id);
    if (f === undefined) return;
    f.removed = true;
    const { machine } = this.#parts;
    if (f.lastWriter !== null && f.lastWriter !== f.closer && f.lastWriter !== machine.host)
      machine.scope.spawn('discard', this.#discard(f, f.lastWriter));
  }

  /** Tells the last writer that its dirty blocks are nobody's any more. If it does not hear, a write-back tells it later. */
  *#discard(f: ServerFile, host: HostId): Task<void> {
    const client = f.clients.get(host);
    if (client === undefined) return;
    this.#parts.counters.discards++;
    const callback = yield* this.#callbacks.send(f, client, consistFlags.discard);
    if (callback !== 'refused') yield* this.#callbacks.await([callback], 0);
  }
}
