/**
 * Slots `medium` (one segment, lives as long as the cluster) and `nic` (many: `nic.eth0`): link frames of real
 * bytes. A medium may lose, delay, duplicate, damage and partition; a damaged frame is dropped by the interface.
 */
import type { Frame, StationAddress } from './frame.ts';
import type { Undo } from './vocabulary.ts';

/** What a rule says about one frame on its way to one station. */
export type LinkVerdict =
  | 'pass'
  | 'drop'
  | { readonly delayNs: number }
  | { readonly copies: number; readonly spacingNs: number }
  /** Changes bytes; `undetected`: with a frame check sequence that fits them, so that only a checksum further up can tell. */
  | { readonly damage: (payload: Uint8Array) => Uint8Array; readonly undetected?: true };

/** A fault on the link. Rules are asked in the order in which they were added; the first that does not pass decides. */
export interface LinkRule {
  readonly name: string;
  judge(frame: Frame, from: string, to: string): LinkVerdict;
}

/** One attached interface, as the medium sees it. */
export interface Station {
  /** The machine's name: what rules and captures call it. */
  readonly name: string;
  readonly address: StationAddress;
  /** True if it listens to this group address. Broadcast is always heard. */
  accepts(group: StationAddress): boolean;
  /** Called when the last bit of a frame for this station has arrived. */
  deliver(frame: Frame): void;
}

export interface Attachment {
  /**
   * Contends for the wire and sends. `sent(true)` when the last bit is out; `sent(false)` when it was given up after
   * too many collisions. One frame at a time: the next `send` comes after `sent`.
   */
  send(frame: Frame, sent: (delivered: boolean) => void): void;
  /** Forgets the frame under way, as power-off does. `sent` is not called. */
  abort(): void;
  detach: Undo;
}

export interface Medium {
  readonly bitsPerSecond: number;
  readonly mtuBytes: number;
  attach(station: Station): Attachment;
  addRule(rule: LinkRule): Undo;
  /** Sees every frame that was carried, before anybody gets it; `startNs` is when its first bit was sent. */
  tap(listener: (frame: Frame, startNs: number, from: string) => void): Undo;
}

export interface Nic {
  readonly address: StationAddress;
  readonly mtuBytes: number;
  /** Queues the frame and returns at once. The transmitter pauses between two frames as long as its machine needs. */
  send(frame: Frame): void;
  /** Frames queued or under way. */
  readonly queued: number;
  /** Frames that the medium did not take, since the power came on: lost here, and not where they were to go. */
  readonly givenUp: number;
  /** Calls back when the queue has run empty; at once if it is. */
  whenDrained(f: () => void): void;
  /**
   * Takes the frames of one link type. The handler is called at the instant of arrival, as a device raises its
   * interrupt line: what it costs to serve the interrupt is the handler's to charge.
   */
  receive(type: number, handler: (frame: Frame) => void): Undo;
  /** Listens to a group address. Counted. */
  join(group: StationAddress): Undo;
}
