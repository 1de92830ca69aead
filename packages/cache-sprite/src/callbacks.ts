/**
 * Callbacks under way from this server to its clients (`src/kernel/fsconsist/fsconsistCache.c`): two phases, so that all
 * clients work at the same time.
 *
 *   callback    event                              action                          next
 *   -           send                               FS_CONSIST                      sent
 *   sent        "accepted"                         -                               accepted
 *   sent        "not yet": its open's reply is     -                               refused: to be sent again
 *               still on the way
 *   any         FS_CONSIST_REPLY, before or        note the report                 done
 *               after the answer "accepted"
 *   any         silence, or the client died        -                               dead
 *   accepted    the time is over                   -                               late: nobody waits any more
 *   any         this host halts                    whoever waits does so to the end
 *
 * Never to oneself, and never to the client on whose behalf the server works.
 */
import { ms, seconds, type Task, tasks, WaitQueue } from '@backplane/engine';
import type { Serving } from '@backplane/file-service';
import { type HostId, isKernelError, type Machine, type Transport } from '@backplane/slots';
import { type ConsistReply, consist } from './consist-procedures.ts';
import type { Counters } from './counters.ts';
import { nothingToReport, type Report } from './open-procedures.ts';
import type { ClientEntry, ServerFile } from './server-file.ts';

/** How long one waits for all the callbacks of an operation. */
export const patienceNs: number = /* @__PURE__ */ seconds(60);
/** Before a callback is sent again that overtook the reply to its client's open. */
export const resendNs: number = /* @__PURE__ */ ms(100);

export interface Callback {
  readonly host: HostId;
  readonly file: ServerFile;
  readonly flags: number;
  readonly ticket: number;
  state: 'under way' | 'done' | 'dead';
  /** What the client reported: 0, or an error's number. */
  error: number;
  report: Report;
}

export class Callbacks {
  static {
    tasks(Callbacks);
  }

  readonly #transport: Transport;
  readonly #machine: Machine;
  readonly #counters: Counters;
  readonly #serving: Serving;
  readonly #pending = new Map<number, Callback>();
  readonly #changed: WaitQueue = new WaitQueue();
  #tickets = 0;

  constructor(transport: Transport, machine: Machine, counters: Counters, serving: Serving) {
    this.#transport = transport;
    this.#machine = machine;
    this.#counters = counters;
    this.#serving = serving;
  }

  /** Returns when the client has answered; `refused` when it does not know yet of its own open. */
  *send(file: ServerFile, to: ClientEntry, flags: number): Task<Callback | 'refused'> {
    const { host } = to;
    const ticket = ++this.#tickets;
    const callback: Callback = {
      host,
      file,
      flags,
      ticket,
      state: 'under way',
      error: 0,
      report: nothingToReport,
    };
    const stamp = { life: this.#machine.bootId, number: to.stamp };
    this.#pending.set(ticket, callback);
    let accepted = false;
    try {
      accepted = yield* this.#transport.call(host, consist, { file: file.id, stamp, flags, ticket });
    } catch (e) {
      // Silent, or a kernel that knows nothing of our files: either way the client that we knew is no more.
      if (!isKernelError(e)) throw e;
      callback.state = 'dead';
    } finally {
      if (!accepted) this.#pending.delete(ticket);
    }
    if (accepted || callback.state === 'dead') return callback;
    this.#counters.refusals++;
    return 'refused';
  }

  /** Returns when none is under way any more, or the time is over. */
  *await(callbacks: readonly Callback[], untilNs: number): Task<void> {
    for (const c of callbacks) {
      while (c.state === 'under way') {
        const leftNs = untilNs - this.#machine.engine.nowNs;
        if (leftNs <= 0) break;
        yield* this.#changed.wait(leftNs);
      }
      this.#pending.delete(c.ticket);
    }
    yield* this.#serving.pass();
  }

  /** The callback that this client reports on, if anybody still waits for it. */
  find(from: HostId, ticket: number): Callback | undefined {
    const callback = this.#pending.get(ticket);
    return callback?.host === from ? callback : undefined;
  }

  reported(callback: Callback, reply: ConsistReply): void {
    callback.state = 'done';
    callback.error = reply.error;
    callback.report = reply.report;
    this.#changed.wakeAll();
  }

  died(host: HostId): void {
    for (const c of this.#pending.values()) if (c.host === host && c.state === 'under way') c.state = 'dead';
    this.#changed.wakeAll();
  }
}
