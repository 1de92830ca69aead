/**
 * The timing of 10 Mb/s Ethernet (IEEE 802.3 clause 4.4.2; DIX 1982). One bit takes 100 ns, one byte 800.
 *
 *   preamble 8 | destination 6 | source 6 | type 2 | payload, padded to 46 | frame check 4 | gap 12 (silence)
 */
import { ETHERNET } from '@backplane/wire';

export const bitsPerSecond = 10_000_000;
const bitNs = 100;
const byteNs: number = 8 * bitNs;

const preambleBytes = 8;
export const preambleNs: number = preambleBytes * byteNs;
/** Silence between two frames. */
export const gapNs: number = 96 * bitNs;
/** A station that meets a collision goes on for 32 bits, so that every other one notices. */
export const jamNs: number = 32 * bitNs;
/** The unit of waiting after a collision: longer than one round trip on the longest network and a jam. */
export const slotNs: number = 512 * bitNs;
/** Tries for one frame before it is given up. */
export const attemptsMax = 16;
/** After so many collisions the range to wait in no longer doubles. */
export const doublingsMax = 10;
/**
 * One way, from end to end. A collision is over when all have fallen silent; on a longer cable a station next to one
 * that has just jammed could find silence for a moment, and would have to be followed by itself.
 */
export const propagationNsMax: number = (preambleNs + jamNs) / 2;

/** Bytes of a frame with so much payload, from destination to frame check sequence, padding included. */
export const frameSizeBytes = (payloadBytes: number): number =>
  Math.max(ETHERNET.frameBytesMin, ETHERNET.headerBytes + payloadBytes + ETHERNET.fcsBytes);

/** How long a frame with so much payload keeps the wire busy: preamble to frame check sequence, without the gap. */
export const wireNs = (payloadBytes: number): number =>
  (preambleBytes + frameSizeBytes(payloadBytes)) * byteNs;
