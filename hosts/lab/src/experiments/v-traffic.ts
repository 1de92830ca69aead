/** Counts what goes over the network of V's machines: packets, and the messages that they carry. */

import { headerBytes, headingBytes, vmtpHeader, vmtpMessage } from '@backplane/rpc-vmtp';
import type { Medium } from '@backplane/slots';
import { type Frame, isGroupAddress, MessageFlag, type Undo } from '@backplane/slots';
import { ETHER_TYPES, IP_PROTOCOLS, IPV4, ipv4Header } from '@backplane/wire';

export interface Traffic {
  packets: number;
  /** To a group of stations, or to all. */
  multicastPackets: number;
  /** Requests and responses of programs and servers, each once however many packets it takes. */
  messages: number;
  /** Those without a segment: the 32 bytes are all. */
  shortMessages: number;
}

/** Counts from now on. */
export function countTraffic(medium: Pick<Medium, 'tap'>): { readonly traffic: Traffic; readonly end: Undo } {
  const traffic: Traffic = { packets: 0, multicastPackets: 0, messages: 0, shortMessages: 0 };
  return { traffic, end: medium.tap((frame) => count(traffic, frame)) };
}

function count(traffic: Traffic, frame: Frame): void {
  traffic.packets++;
  if (isGroupAddress(frame.destination)) traffic.multicastPackets++;
  const at = packetAt(frame);
  // Each where it lies: together they would have to be copied.
  const heading = frame.slice(at, headingBytes);
  const message = frame.slice(at + headingBytes, headerBytes - headingBytes);
  if (heading !== undefined && message !== undefined) countMessage(traffic, heading, message);
}

/** Where VMTP begins in the payload, whichever of its two carriers this is; beyond the end if it is not there. */
function packetAt(frame: Frame): number {
  if (frame.type === ETHER_TYPES.v) return 0;
  const head = frame.type === ETHER_TYPES.ipv4 ? frame.slice(0, IPV4.headerBytes) : undefined;
  return head !== undefined && ipv4Header.get.protocol(head, 0) === IP_PROTOCOLS.vmtp
    ? IPV4.headerBytes
    : Number.POSITIVE_INFINITY;
}

function countMessage(traffic: Traffic, heading: Uint8Array, message: Uint8Array): void {
  const flags = vmtpMessage.get.code(message, 0) >>> 24;
  // What the protocol's own managers ask one another is no message of anybody's.
  if ((flags & MessageFlag.publicCode) !== 0 || vmtpHeader.get.retransmitCount(heading, 0) > 0) return;
  const hasSegment = (flags & MessageFlag.segment) !== 0;
  // Of the packets of a message the first has its first block.
  if (hasSegment && (vmtpHeader.get.packetDelivery(heading, 0) & 1) === 0) return;
  traffic.messages++;
  if (!hasSegment) traffic.shortMessages++;
}
