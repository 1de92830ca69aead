/**
 * What carries the packets: raw Ethernet frames (type 0x805C, V's own), or internet datagrams (protocol 81) where hosts lie
 * behind gateways. The carrier also knows where hosts are; it never knows what the packets mean.
 *
 * A place is the carrier's own name for where a packet comes from or goes to: on Ethernet a station's or a group's address,
 * with datagrams a host's number. The slot `internet` knows no groups but everybody, so there a group's packets go to all
 * hosts; who has no member drops them, as it does on Ethernet where groups share an address.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type EntityId,
  Frame,
  type HostId,
  type Internet,
  type Locator,
  type MessagePriority,
  type Nic,
  type Undo,
} from '@backplane/slots';
import { ETHER_TYPES, IP_PROTOCOLS } from '@backplane/wire';
import { groupStation } from './numbers.ts';
import { type Sender, TransmitQueue } from './transmit-queue.ts';

export type Place = number;

/** This host itself: its entities are reached without packets. */
export const here: Place = -1;

export interface Receiver {
  /**
   * Takes what arrives, at the instant of arrival. Of the payload, `lastBytes` at most were in the frame that has just come,
   * for which the receiver pays.
   */
  arrived(frame: Frame, from: Place, lastBytes: number): void;
}

export interface Carrier {
  /** Payload of the largest packet. */
  readonly packetBytes: number;
  /** True if `send` may block: threads then use `transmit`. */
  readonly blocks: boolean;
  /** The host's place, if it is known without asking. */
  placeOf(host: HostId): Place | undefined;
  /** @throws KernelError `peerDown` */
  locate(host: HostId): Task<Place>;
  /** What was believed about the host's place may be wrong. */
  forget(host: HostId): void;
  groupPlace(group: EntityId): Place;
  /** Counted. */
  join(group: EntityId): Undo;
  /** Packets that never left this host, as far as is known. */
  readonly givenUp: number;
  /** Calls back when the interface has nothing to send; at once where it is not this host's affair. */
  whenDrained(f: () => void): void;
  /** Sends without waiting, also from interrupt level. */
  send(to: Place, rank: MessagePriority, parts: readonly Uint8Array[], sender: Sender): void;
  /** From a thread, which waits where that may be necessary. */
  transmit(to: Place, rank: MessagePriority, parts: readonly Uint8Array[], sender: Sender): Task<void>;
}

export class EthernetCarrier implements Carrier {
  static {
    tasks(EthernetCarrier);
  }

  readonly packetBytes: number;
  readonly blocks = false;
  readonly #nic: Nic;
  readonly #locator: Locator;
  readonly #queue: TransmitQueue;

  constructor(nic: Nic, locator: Locator, receiver: Receiver) {
    this.#nic = nic;
    this.#locator = locator;
    this.#queue = new TransmitQueue(nic);
    this.packetBytes = nic.mtuBytes;
    nic.receive(ETHER_TYPES.v, (frame) => receiver.arrived(frame, frame.source, frame.lengthBytes));
  }

  get givenUp(): number {
    return this.#nic.givenUp;
  }

  placeOf(host: HostId): Place | undefined {
    return this.#locator.known(host);
  }

  *locate(host: HostId): Task<Place> {
    return yield* this.#locator.locate(host);
  }

  forget(host: HostId): void {
    this.#locator.forget(host);
  }

  groupPlace(group: EntityId): Place {
    return groupStation(group);
  }

  join(group: EntityId): Undo {
    return this.#nic.join(groupStation(group));
  }

  whenDrained(f: () => void): void {
    this.#nic.whenDrained(f);
  }

  send(to: Place, rank: MessagePriority, parts: readonly Uint8Array[], sender: Sender): void {
    this.#queue.send(new Frame(to, this.#nic.address, ETHER_TYPES.v, parts), rank, sender);
  }

  *transmit(to: Place, rank: MessagePriority, parts: readonly Uint8Array[], sender: Sender): Task<void> {
    this.send(to, rank, parts, sender);
  }
}

const everybody: Place = 0;

/** Internet datagrams find their way by themselves; sending one may block while a gateway or station is located. */
export class InternetCarrier implements Carrier {
  static {
    tasks(InternetCarrier);
  }

  readonly packetBytes: number;
  readonly blocks = true;
  readonly givenUp = 0;
  readonly #internet: Internet;
  readonly #spawn: (body: Task<void>) => void;

  /** `spawn` runs what has to be sent from interrupt level, which cannot wait. */
  constructor(internet: Internet, receiver: Receiver, spawn: (body: Task<void>) => void) {
    this.#internet = internet;
    this.#spawn = spawn;
    this.packetBytes = internet.unfragmentedBytes;
    internet.receive(IP_PROTOCOLS.vmtp, ({ from, payload, completingBytes }) =>
      receiver.arrived(new Frame(0, 0, 0, [payload]), from, completingBytes),
    );
  }

  placeOf(host: HostId): Place | undefined {
    return host;
  }

  *locate(host: HostId): Task<Place> {
    return host;
  }

  forget(): void {}

  groupPlace(): Place {
    return everybody;
  }

  join(): Undo {
    return () => {};
  }

  whenDrained(f: () => void): void {
    f();
  }

  send(to: Place, _rank: MessagePriority, parts: readonly Uint8Array[], sender: Sender): void {
    sender.waiting++;
    this.#spawn(this.#later(to, parts, sender));
  }

  *transmit(to: Place, _rank: MessagePriority, parts: readonly Uint8Array[]): Task<void> {
    yield* this.#internet.send(IP_PROTOCOLS.vmtp, to as HostId, parts); // boundary: places are hosts here
  }

  *#later(to: Place, parts: readonly Uint8Array[], sender: Sender): Task<void> {
    yield* this.#internet.send(IP_PROTOCOLS.vmtp, to as HostId, parts); // boundary: as above
    sender.waiting--;
  }
}
