/**
 * Slots `locator` (where is a host on this segment) and `internet` (internet datagrams between hosts).
 */
import type { Task } from '@backplane/engine';
import { asIpv4, BROADCAST_IPV4, type Ipv4Address } from '@backplane/wire';
import type { StationAddress } from './frame.ts';
import type { HostId, Undo } from './vocabulary.ts';

export interface Locator {
  /** What is known now, without asking anybody. */
  known(host: HostId): StationAddress | undefined;
  /** @throws KernelError `peerDown` when nobody answers for the host */
  locate(host: HostId): Task<StationAddress>;
  /** Notes what a frame showed about its sender. */
  learn(host: HostId, at: StationAddress): void;
  /** Drops a hint that turned out wrong. */
  forget(host: HostId): void;
}

/** Network 10, subnet 10.1.0. */
const network = 0x0a01_0000;
/** Hosts of a cluster end here, as Sprite's. */
const hostMax = 199;

/** Host n of the cluster is 10.1.0.n; host 0, which is everybody, is the limited broadcast address of RFC 919. */
export const internetAddress = (host: HostId): Ipv4Address =>
  host === 0 ? BROADCAST_IPV4 : asIpv4(network + host);

/** The host that has the address; undefined for an address that no single host of a cluster has. */
export const internetHost = (address: Ipv4Address): HostId | undefined => {
  const number = address - network;
  return number >= 1 && number <= hostMax ? (number as HostId) : undefined; // boundary: the range was just checked
};

/** A datagram as it arrived, put together from its fragments. */
export interface Datagram {
  readonly from: HostId;
  /** This host; or 0: it went to everybody. */
  readonly to: HostId;
  readonly payload: Uint8Array;
  /** Link frames that carried it. */
  readonly packets: number;
  /** Payload bytes in the frame that completed it: all of them where it came in one. */
  readonly completingBytes: number;
}

/**
 * Internet protocol between hosts of the cluster: unreliable, unordered datagrams up to 65,515 bytes, cut into fragments
 * for the link and put together again. A host's address is `internetAddress`.
 *
 * Who pays for what, so that nothing is charged twice:
 *
 *   a datagram sent               its sender, with the datagram's other costs: packetSend of the first frame
 *                                 the internet board, on the sender's thread: packetSend of each further frame, and the
 *                                 checksum of each header
 *   the frame that completes one  its handler: packetReceive, and the copy of `completingBytes`
 *   every other frame             the internet board, at its arrival: an interrupt of fragmentReceive with the copy of its
 *                                 bytes for a fragment, of packetReceive for what is dropped; and its header's checksum
 */
export interface Internet {
  /** Payload bytes that travel without fragmentation. */
  readonly unfragmentedBytes: number;
  /** Queues a datagram. A host of 0 is everybody. Does nothing if the destination cannot be located. */
  send(protocol: number, to: HostId, parts: readonly Uint8Array[]): Task<void>;
  /**
   * Takes the datagrams of one protocol. Called at the instant at which the last fragment arrived, as `Nic.receive` is:
   * the interrupt is the handler's to charge.
   */
  receive(protocol: number, handler: (datagram: Datagram) => void): Undo;
}
