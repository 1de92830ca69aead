/**
 * Brings a request to where its entity is: for clients of this host, and for its servers that forward.
 *
 *   the host says                        then
 *   busy, frozen                         try again, after 50 ms and then after twice as long, 1 s at most
 *   nonexistent                          look for the entity; nowhere: nonexistentEntity
 *   nothing (its transport gives up)     look for the entity; nowhere: retransmissionTimeout
 *   anything else                        it has arrived
 *
 * A frozen or busy service cannot tell when it goes on, and it may be elsewhere then; hence the retries, which the client's
 * own limit ends.
 *
 * At most once: a call that fails may have been executed. The request goes to the place that a search found only if the
 * entity was there when that call began, by the cluster's clock: then no service can have seen the request elsewhere,
 * and a host that did see it remembers that. Otherwise the outcome is silence.
 */
import { type Engine, ms, type Task, tasks, type WaitQueue } from '@backplane/engine';
import { type HostId, isKernelError, ReplyCode, type Transport } from '@backplane/slots';
import type { HeldRequests } from './held-requests.ts';
import type { Places } from './places.ts';
import { type CutWord, request as requestProcedure } from './procedures.ts';
import { coResidentOf, type Request, type Word, word } from './request.ts';
import type { Segments } from './segments.ts';

const firstPauseNs = /* @__PURE__ */ ms(50);
const pauseMaxNs = /* @__PURE__ */ ms(1000);
/** Searches for one request: an entity that moves on each time is not followed for ever. */
const searchesMax = 8;

/** What goes on meanwhile with the transaction. */
export interface Course {
  isOver(): boolean;
  /** Somebody has news for it. */
  readonly changed: WaitQueue;
  /** The request goes to this host now. */
  goesTo?(host: HostId): void;
}

/** It has arrived; or it has not, and why. */
export type Sent =
  | { readonly host: HostId; readonly word: Word }
  | { readonly host: null; readonly code: number; readonly untaken: boolean };

export interface DispatchParts {
  readonly engine: Engine;
  readonly transport: Transport;
  readonly places: Places;
  readonly segments: Segments;
  readonly held: HeldRequests;
}

export class Dispatch {
  static {
    tasks(Dispatch);
  }

  readonly #parts: DispatchParts;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
  }

  /**
   * A request to one entity, or to the members of a group near one.
   *
   * @param course null for a datagram: it is tried once at each place
   * @returns null when the transaction is over
   */
  *single(q: Request, course: Course | null): Task<Sent | null> {
    const { engine, transport, places, held } = this.#parts;
    const sought = coResidentOf(q) ?? q.to;
    let host = places.guess(sought);
    let doubtNs = Number.POSITIVE_INFINITY;
    let pauseNs = firstPauseNs;
    for (let searches = 0; ; ) {
      if (course?.isOver()) return null;
      const tryNs = engine.nowNs;
      if (host !== undefined) course?.goesTo?.(host);
      const says = host === transport.self ? held.accept(q) : yield* this.#call(host, q);
      if (course?.isOver()) return null;
      if (says?.what === 'busy' || says?.what === 'frozen') {
        if (course === null) return null;
        yield* course.changed.wait(pauseNs);
        pauseNs = Math.min(2 * pauseNs, pauseMaxNs);
        continue;
      }
      if (host !== undefined && says !== null && says.what !== 'nonexistent') return { host, word: says };
      if (host !== undefined && says === null) {
        if (course === null) return null; // it may have been executed, and nobody would remember
        doubtNs = Math.min(doubtNs, tryNs);
      }
      if (says !== null) places.forget(sought);
      const found = searches++ < searchesMax ? yield* places.search(sought) : undefined;
      if (found === undefined) {
        const nobody = host === undefined || says !== null;
        const code = nobody ? ReplyCode.nonexistentEntity : ReplyCode.retransmissionTimeout;
        return { host: null, code, untaken: doubtNs === Number.POSITIVE_INFINITY };
      }
      if (found.sinceNs > doubtNs)
        return { host: null, code: ReplyCode.retransmissionTimeout, untaken: false };
      host = found.host;
    }
  }

  /** Null: no answer, and it may have arrived. */
  *#call(host: HostId | undefined, q: Request): Task<Word | null> {
    if (host === undefined) return null;
    const { transport, segments } = this.#parts;
    const { message, ...head } = q;
    const cut = segments.cut(message);
    try {
      const says = yield* transport.call(host, requestProcedure, { ...head, cut });
      return yield* this.whole(host, says);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return e.kind === 'busy' ? word.busy : null;
    } finally {
      segments.release(cut);
    }
  }

  /** A host's word with its response in one piece. @throws KernelError */
  *whole(host: HostId, says: CutWord): Task<Word> {
    if (says.what !== 'responded') return says;
    const message = yield* this.#parts.segments.whole(host, says.cut);
    return { what: 'responded', response: { from: says.from, message } };
  }
}
