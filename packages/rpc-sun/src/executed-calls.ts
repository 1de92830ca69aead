/**
 * Which calls of one client's life have been accepted for execution, for as long as that life lasts: the newest xid, and
 * those before it that have not come. A client numbers its calls to a server without gaps, so that what lacks is little:
 * what the network delays, and calls given up before any of their packets arrived.
 *
 * That makes "at most once" hold when the reply to a call is long forgotten. The memory is bounded: of too many xids that
 * lack, the oldest count as executed.
 */
import { xidDistance } from './lives.ts';

/** Xids that may lack. */
const missingMax = 1024;
/** A client whose xids jump further than that is none of ours. */
const jumpMax = 0x1_0000;

export class ExecutedCalls {
  #newest: number;
  /** In the order in which they were skipped. */
  readonly #missing = new Set<number>();

  /** @param before the last xid before the first that the client uses in this life */
  constructor(before: number) {
    this.#newest = before;
  }

  /** Whether a call may be executed: `new`; it was, or may have been: `old`; or no client of ours makes it: `absurd`. */
  judge(xid: number): 'new' | 'old' | 'absurd' {
    const ahead = xidDistance(xid, this.#newest);
    if (ahead > jumpMax) return 'absurd';
    return ahead > 0 || this.#missing.has(xid) ? 'new' : 'old';
  }

  /** Notes that a call judged new is executed. */
  note(xid: number): void {
    const ahead = xidDistance(xid, this.#newest);
    if (ahead <= 0) {
      this.#missing.delete(xid);
      return;
    }
    for (let back = Math.min(ahead - 1, missingMax); back > 0; back--) this.#missing.add((xid - back) >>> 0);
    for (const oldest of this.#missing) {
      if (this.#missing.size <= missingMax) break;
      this.#missing.delete(oldest);
    }
    this.#newest = xid;
  }
}
