/**
 * The duplicate request cache (C. Juszczak, Improving the Performance and Correctness of an NFS Server, USENIX Winter 1989):
 * what became of the requests that have been here, by client, program and xid.
 *
 *   a request comes again                       its answer
 *   while its handler runs                      none: it is dropped
 *   while its reply is kept                     the same bytes
 *   when its reply is no longer kept            it is not executed again; the caller learns that
 *
 * Replies are kept by number and by age: a new one pushes out those that are too old, and of too many the oldest. Only the
 * replies are pushed out: that a call was executed is remembered as long as its client lives (`ExecutedCalls`).
 *
 * Lost in a crash: everything. The short hand then tells the server that a request was meant for an earlier life.
 */
import type { HostId } from '@backplane/slots';
import { ExecutedCalls } from './executed-calls.ts';
import { programs } from './layout.ts';
import { xidBefore } from './lives.ts';

/** What is known of a request. */
export type Verdict = 'new' | 'running' | 'absurd' | 'forgotten' | { readonly reply: Uint8Array };

interface Kept {
  readonly reply: Uint8Array;
  readonly atNs: number;
}

export class ReplyCache {
  readonly #self: HostId;
  readonly #repliesMax: number;
  readonly #keepNs: number;
  readonly #executed = new Map<number, ExecutedCalls>();
  readonly #running = new Set<number>();
  /** Oldest first. */
  readonly #replies = new Map<number, Kept>();

  /** @param self the host whose cache it is: a client's xids begin elsewhere for each server */
  constructor(self: HostId, repliesMax: number, keepNs: number) {
    this.#self = self;
    this.#repliesMax = repliesMax;
    this.#keepNs = keepNs;
  }

  get size(): number {
    return this.#replies.size;
  }

  judge(client: HostId, bootId: number, program: number, xid: number): Verdict {
    const key = keyOf(client, program, xid);
    if (this.#running.has(key)) return 'running';
    const kept = this.#replies.get(key);
    if (kept !== undefined) return kept;
    const judged = this.#callsOf(client, bootId, program).judge(xid);
    return judged === 'old' ? 'forgotten' : judged;
  }

  /** A request judged new is being executed. */
  begin(client: HostId, bootId: number, program: number, xid: number): void {
    this.#callsOf(client, bootId, program).note(xid);
    this.#running.add(keyOf(client, program, xid));
  }

  /** Its handler has ended; null when there is nothing to answer. */
  end(client: HostId, program: number, xid: number, reply: Uint8Array | null, nowNs: number): void {
    const key = keyOf(client, program, xid);
    this.#running.delete(key);
    for (const [oldest, { atNs }] of this.#replies) {
      if (this.#replies.size < this.#repliesMax && atNs > nowNs - this.#keepNs) break;
      this.#replies.delete(oldest);
    }
    if (reply !== null) this.#replies.set(key, { reply, atNs: nowNs });
  }

  /** The client has another life: its calls count anew, and nobody waits for the replies to the old ones. */
  forget(client: HostId): void {
    for (const program of Object.values(programs)) this.#executed.delete(callerOf(client, program));
    for (const key of this.#replies.keys()) if (isOf(client, key)) this.#replies.delete(key);
    for (const key of this.#running) if (isOf(client, key)) this.#running.delete(key);
  }

  #callsOf(client: HostId, bootId: number, program: number): ExecutedCalls {
    const caller = callerOf(client, program);
    let calls = this.#executed.get(caller);
    if (calls === undefined) {
      calls = new ExecutedCalls(xidBefore(bootId, program, this.#self));
      this.#executed.set(caller, calls);
    }
    return calls;
  }
}

const xids = 0x1_0000_0000;
const callerOf = (client: HostId, program: number): number =>
  2 * client + (program === programs.questions ? 1 : 0);
const keyOf = (client: HostId, program: number, xid: number): number =>
  callerOf(client, program) * xids + xid;
const isOf = (client: HostId, key: number): boolean => Math.floor(key / xids / 2) === client;
