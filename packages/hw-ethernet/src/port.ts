/**
 * One station's side of the wire: it carries one frame at a time through contention (IEEE 802.3 clause 4.2.3.2, transmit
 * media access management; DIX 1982, data link layer).
 *
 *   state       event                          action                                     next
 *   idle        send, wire free                start; in the gap: start when it is over   sending
 *   idle        send, another frame is heard   -                                          waiting
 *   idle        send, one not yet heard        both collide                               colliding
 *   waiting     the wire falls silent, alone   start when the gap is over                 sending
 *   waiting     the same, not alone            all start together and collide             colliding
 *   sending     another one starts too         jam                                        colliding
 *   sending     last bit out                   sent(true)                                 idle
 *   colliding   silence, tries left            draw slots to wait; if 0, contend          backingOff, waiting
 *   colliding   silence, 16th try              sent(false)                                idle
 *   backingOff  slots are over                 contend, as with send                      as above
 *   any         abort                          cut the signal, forget the frame           idle
 *
 * Rules of use: the next `send` comes after `sent`. Lost in a power failure: the frame.
 */
import type { RandomStream } from '@backplane/engine';
import type { Attachment, Frame, Station, Undo } from '@backplane/slots';
import { stationBusy } from './errors.ts';
import { attemptsMax, doublingsMax, slotNs } from './timing.ts';

export type PortState = 'idle' | 'waiting' | 'sending' | 'colliding' | 'backingOff';

/** What a port asks of the segment that it is tapped into. */
export interface Wire {
  /** The port has a frame to send, from now on. */
  contend(port: Port): void;
  /** The port is to contend at its `untilNs`. */
  backOff(port: Port): void;
  /** The port, which is not idle, has been switched off. Called before it forgets its frame. */
  withdraw(port: Port): void;
  check(port: Port, frame: Frame): void;
  remove(port: Port): void;
}

export class Port implements Attachment {
  readonly station: Station;
  /** Distance from one end of the cable, in nanoseconds of propagation. */
  readonly positionNs: number;
  state: PortState = 'idle';
  attached = true;
  frame: Frame | null = null;
  /** When the first bit goes, or went, out. Valid while sending. */
  startNs = 0;
  /** When its slots are over. Valid while backing off. */
  untilNs = 0;
  /** Collisions of this frame so far. */
  collisions = 0;
  readonly #wire: Wire;
  readonly #random: RandomStream;
  #sent: ((delivered: boolean) => void) | null = null;

  constructor(wire: Wire, station: Station, positionNs: number, random: RandomStream) {
    this.#wire = wire;
    this.station = station;
    this.positionNs = positionNs;
    this.#random = random;
  }

  send(frame: Frame, sent: (delivered: boolean) => void): void {
    if (this.frame !== null) throw stationBusy(this.station.name);
    this.#wire.check(this, frame);
    this.frame = frame;
    this.#sent = sent;
    this.collisions = 0;
    this.#wire.contend(this);
  }

  abort(): void {
    if (this.frame === null) return;
    this.#wire.withdraw(this);
    this.#forget();
  }

  readonly detach: Undo = () => {
    this.abort();
    this.attached = false;
    this.#wire.remove(this);
  };

  /** The frame is off the hands of the wire, carried or given up. The station may send the next one at once. */
  done(delivered: boolean): void {
    const sent = this.#sent;
    this.#forget();
    sent?.(delivered);
  }

  /**
   * Counts a collision, and draws how long to wait from the end of the jam: truncated binary exponential backoff.
   * Returns the slots, or -1 when no try is left.
   */
  collide(): number {
    this.collisions++;
    if (this.collisions >= attemptsMax) return -1;
    return this.#random.below(1 << Math.min(this.collisions, doublingsMax));
  }

  backOff(fromNs: number, slots: number): void {
    this.state = 'backingOff';
    this.untilNs = fromNs + slots * slotNs;
    this.#wire.backOff(this);
  }

  #forget(): void {
    this.state = 'idle';
    this.frame = null;
    this.#sent = null;
  }
}
