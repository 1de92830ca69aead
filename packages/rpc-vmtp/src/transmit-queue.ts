/**
 * Packets on their way to the interface, by urgency (RFC 1045, section 2.8). The interface sends in order of arrival, so it is
 * given one frame at a time while there are more; the others wait here, the most urgent first.
 *
 *   interface   event              action                                   next
 *   at rest     packet             hand it over                             busy
 *   busy        packet             keep it, by its rank                     busy
 *   busy        queue has drained  hand over the most urgent that is kept   busy, or at rest
 *
 * Lost in a crash: everything.
 */
import type { Frame, MessagePriority, Nic } from '@backplane/slots';

/** Whose packets these are: it knows how many have not reached the interface. */
export interface Sender {
  waiting: number;
}

interface Entry {
  readonly frame: Frame;
  readonly sender: Sender;
  /** Behind it, of the same rank. */
  next: Entry | null;
}

/** Of one rank: the first to go, and the last. Neither or both. */
interface Line {
  first: Entry | null;
  last: Entry | null;
}

const ranks = 16;

export class TransmitQueue {
  readonly #nic: Nic;
  readonly #lines: readonly Line[] = Array.from({ length: ranks }, () => ({ first: null, last: null }));
  /** Bit n is set while packets of rank n are kept. */
  #ranks = 0;
  readonly #drained = (): void => this.#next();

  constructor(nic: Nic) {
    this.#nic = nic;
  }

  send(frame: Frame, rank: MessagePriority, sender: Sender): void {
    if (this.#ranks === 0 && this.#nic.queued === 0) {
      this.#nic.send(frame);
      return;
    }
    const line = this.#line(rank);
    const entry: Entry = { frame, sender, next: null };
    if (line.last === null) line.first = entry;
    else line.last.next = entry;
    line.last = entry;
    sender.waiting++;
    if (this.#ranks === 0) this.#nic.whenDrained(this.#drained);
    this.#ranks |= 1 << rank;
  }

  #next(): void {
    const lowest = this.#ranks & -this.#ranks;
    if (lowest === 0) return;
    const line = this.#line(31 - Math.clz32(lowest));
    const entry = line.first;
    if (entry === null) return;
    line.first = entry.next;
    if (entry.next === null) {
      line.last = null;
      this.#ranks &= ~lowest;
    }
    entry.sender.waiting--;
    this.#nic.send(entry.frame);
    if (this.#ranks !== 0) this.#nic.whenDrained(this.#drained);
  }

  #line(rank: MessagePriority): Line {
    return this.#lines[rank] as Line; // boundary: a rank is 0 to 15
  }
}
