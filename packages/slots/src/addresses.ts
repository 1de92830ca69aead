/**
 * Slots `locator` (where is a host on this segment) and `internet` (internet datagrams between hosts).
 */
import type { Task } from '@backplane/engine';
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

/** A datagram as it arrived, put together from its fragments. */
export interface Datagram {
  readonly from: HostId;
  readonly payload: Uint8Array;
}

/**
 * Internet protocol between hosts of the cluster: unreliable, unordered datagrams up to 65,515 bytes, cut into fragments
 * for the link and put together again. Host n of the cluster has the address 10.1.0.n.
 */
export interface Internet {
  /** Payload bytes that travel without fragmentation. */
  readonly unfragmentedBytes: number;
  /** Queues a datagram. A host of 0 is everybody. Does nothing if the destination cannot be located. */
  send(protocol: number, to: HostId, parts: readonly Uint8Array[]): Task<void>;
  /**
   * Takes the datagrams of one protocol. Called at the instant at which the last fragment arrived, as `Nic.receive` is;
   * `packets` link frames carried it.
   */
  receive(protocol: number, handler: (datagram: Datagram, packets: number) => void): Undo;
}
