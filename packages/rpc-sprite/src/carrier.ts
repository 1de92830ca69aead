/**
 * What carries the packets: raw Ethernet frames (type 0x0500), or internet datagrams (protocol 90) where hosts lie behind
 * gateways. The carrier also knows where hosts are; it never knows what the packets mean.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  broadcastAddress,
  Frame,
  type HostId,
  type Internet,
  type Locator,
  type Nic,
  type StationAddress,
} from '@backplane/slots';
import { ETHER_TYPES, IP_PROTOCOLS } from '@backplane/wire';
import { everybody, headerBytes, limits } from './layout.ts';
import { ethernetTimes, internetTimes, type RetryTimes } from './retry-times.ts';

/**
 * Takes what arrives, at the instant of arrival. `sender` is the carrier's own name for where it came from; of the payload,
 * `lastBytes` at most were in the frame that has just come, for which the handler pays.
 */
export type Arrival = (frame: Frame, sender: number, lastBytes: number) => void;

export interface Carrier {
  /** Header and payload of the largest packet. */
  readonly packetBytes: number;
  readonly times: RetryTimes;
  /** True if `send` may block: threads then use `transmit`. */
  readonly blocks: boolean;
  /** Packets sent so far. */
  readonly sent: number;
  /** Returns when the host's place is known, or at once. @throws KernelError `peerDown` */
  reach(to: HostId): Task<void>;
  knows(to: number): boolean;
  /** Sends without waiting, also from interrupt level. Lost if nobody knows where the host is. */
  send(to: number, parts: readonly Uint8Array[]): void;
  transmit(to: number, parts: readonly Uint8Array[]): Task<void>;
  /** May packet number `n` of those sent still be in this host's own queue? */
  mayBeQueued(n: number): boolean;
  /** The host at that place; 0 when nobody knows. */
  hostAt(sender: number): number;
  /** A packet of that host came from there. */
  learn(host: number, sender: number): void;
  /** What was believed about the host's place may be wrong. */
  forget(host: HostId): void;
}

export class EthernetCarrier implements Carrier {
  static {
    tasks(EthernetCarrier);
  }

  readonly packetBytes: number;
  readonly times: RetryTimes = ethernetTimes;
  readonly blocks = false;
  sent = 0;
  readonly #nic: Nic;
  readonly #locator: Locator;
  /** Where each host was heard last; -1 unknown. Saves a question to the locator for each packet. */
  readonly #stations: Float64Array = new Float64Array(limits.hosts).fill(-1);

  constructor(nic: Nic, locator: Locator, arrived: Arrival) {
    this.#nic = nic;
    this.#locator = locator;
    this.packetBytes = nic.mtuBytes;
    this.#stations[everybody] = broadcastAddress;
    nic.receive(ETHER_TYPES.spriteRpc, (frame) => arrived(frame, frame.source, frame.lengthBytes));
  }

  knows(to: number): boolean {
    return this.#station(to) >= 0;
  }

  *reach(to: HostId): Task<void> {
    if (!this.knows(to)) this.#stations[to] = yield* this.#locator.locate(to);
  }

  send(to: number, parts: readonly Uint8Array[]): void {
    const station = this.#station(to);
    if (station < 0) return;
    this.sent++;
    this.#nic.send(new Frame(station, this.#nic.address, ETHER_TYPES.spriteRpc, parts));
  }

  *transmit(to: number, parts: readonly Uint8Array[]): Task<void> {
    this.send(to, parts);
  }

  /** The interface's queue is first in, first out; what other boards have in it makes this err on the safe side. */
  mayBeQueued(n: number): boolean {
    return this.sent - n < this.#nic.queued;
  }

  hostAt(sender: number): number {
    const host = this.#stations.indexOf(sender);
    return host > 0 ? host : 0;
  }

  learn(host: number, sender: StationAddress): void {
    if (this.#stations[host] === sender) return;
    this.#stations[host] = sender;
    this.#locator.learn(host as HostId, sender); // boundary: checked when the packet was read
  }

  forget(host: HostId): void {
    this.#stations[host] = -1;
    this.#locator.forget(host);
  }

  #station(to: number): number {
    const station = this.#stations[to] as number; // boundary: hosts are below 200
    return station >= 0 ? station : this.#ask(to);
  }

  #ask(to: number): number {
    const known = this.#locator.known(to as HostId); // boundary: as above
    if (known === undefined) return -1;
    this.#stations[to] = known;
    return known;
  }
}

/** Internet datagrams find their way by themselves; sending one may block while a gateway or station is located. */
export class InternetCarrier implements Carrier {
  static {
    tasks(InternetCarrier);
  }

  readonly packetBytes: number;
  readonly times: RetryTimes = internetTimes;
  readonly blocks = true;
  sent = 0;
  readonly #internet: Internet;
  readonly #spawn: (body: Task<void>) => void;

  /** `spawn` runs what has to be sent from interrupt level, which cannot wait. */
  constructor(internet: Internet, arrived: Arrival, spawn: (body: Task<void>) => void) {
    this.#internet = internet;
    this.#spawn = spawn;
    this.packetBytes = internet.unfragmentedBytes;
    internet.receive(IP_PROTOCOLS.spriteRpc, ({ from, payload, completingBytes }) =>
      arrived(new Frame(0, 0, 0, [payload]), from, completingBytes),
    );
  }

  knows(): boolean {
    return true;
  }

  *reach(): Task<void> {}

  send(to: number, parts: readonly Uint8Array[]): void {
    this.#spawn(this.transmit(to, parts));
  }

  *transmit(to: number, parts: readonly Uint8Array[]): Task<void> {
    this.sent++;
    yield* this.#internet.send(IP_PROTOCOLS.spriteRpc, to as HostId, parts); // boundary: hosts are below 200
  }

  mayBeQueued(): boolean {
    return false;
  }

  hostAt(sender: number): number {
    return sender;
  }

  learn(): void {}

  forget(): void {}
}

/** The least packet in which 16 fragments hold a largest message. */
export const leastPacketBytes: number =
  headerBytes + Math.ceil((limits.parametersBytes + limits.dataBytes) / limits.fragments);
