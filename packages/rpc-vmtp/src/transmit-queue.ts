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
}

const ranks = 16;

export class TransmitQueue {
  readonly #nic: Nic;
  readonly #kept: readonly Entry[][] = Array.from({ length: ranks }, () => []);
  #count = 0;
  readonly #drained = (): void => this.#next();

  constructor(nic: Nic) {
    this.#nic = nic;
  }

  send(frame: Frame, rank: MessagePriority, sender: Sender): void {
    if (this.#count === 0 && this.#nic.queued === 0) {
      this.#nic.send(frame);
      return;
    }
    sender.waiting++;
    this.#kept[rank]?.push({ frame, sender });
    if (this.#count++ === 0) this.#nic.whenDrained(this.#drained);
  }

  #next(): void {
    for (const entries of this.#kept) {
      const entry = entries.shift();
      if (entry === undefined) continue;
      this.#count--;
      entry.sender.waiting--;
      this.#nic.send(entry.frame);
      if (this.#count > 0) this.#nic.whenDrained(this.#drained);
      return;
    }
  }
}
