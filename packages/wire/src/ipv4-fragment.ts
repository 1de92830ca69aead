/** Cutting datagrams to the size that a network carries (RFC 791, section 3.2, "An Example Fragmentation Procedure"). */
import { outOfRange } from './errors.ts';
import {
  completeIpv4,
  IPV4,
  type Ipv4Datagram,
  type Ipv4Outgoing,
  ipv4HeaderBytes,
  tooLong,
} from './ipv4.ts';

/**
 * The datagrams, in order, that carry `outgoing` over a network of `mtuBytes`: itself if it fits, else fragments, each but
 * the last as full as it can be. A fragment may be cut again. `undefined` when it is too large and says "don't fragment".
 *
 * @param mtuBytes largest datagram with header; at least 68
 * @throws WireError `WIRE_RANGE` for a smaller MTU, or a datagram of more than 65535 bytes
 */
export const fragmentIpv4 = (
  outgoing: Ipv4Outgoing,
  mtuBytes: number,
): readonly Ipv4Datagram[] | undefined => {
  if (mtuBytes < IPV4.mtuBytesMin)
    throw outOfRange('ipv4 mtu', mtuBytes, `at least ${IPV4.mtuBytesMin} bytes`);
  const whole = completeIpv4(outgoing);
  const { payload, offsetBytes } = whole;
  const totalLength = ipv4HeaderBytes(whole.options) + offsetBytes + payload.length;
  if (totalLength > IPV4.datagramBytesMax) throw tooLong(totalLength);
  if (totalLength - offsetBytes <= mtuBytes) return [whole];
  if (whole.dontFragment) return undefined;

  const fragments: Ipv4Datagram[] = [];
  let options = whole.options;
  for (let from = 0; from < payload.length; ) {
    const roomBytes = mtuBytes - ipv4HeaderBytes(options);
    const last = payload.length - from <= roomBytes;
    const to = last ? payload.length : from + 8 * Math.floor(roomBytes / 8);
    fragments.push({
      ...whole,
      options,
      payload: payload.subarray(from, to),
      offsetBytes: offsetBytes + from,
      moreFragments: !last || whole.moreFragments,
    });
    if (from === 0) options = copiedOptions(options);
    from = to;
  }
  return fragments;
};

/** How many datagrams `fragmentIpv4` makes of a payload without options, where `roomBytes` of payload travel in one. */
export const fragmentCount = (payloadBytes: number, roomBytes: number): number =>
  payloadBytes <= roomBytes ? 1 : 1 + Math.ceil((payloadBytes - roomBytes) / (8 * Math.floor(roomBytes / 8)));

/** The options that go into every fragment: those whose first bit is set. The rest stay in the first fragment. */
const copiedOptions = (options: Uint8Array): Uint8Array => {
  const copied: number[] = [];
  for (let at = 0; at < options.length; ) {
    const type = options[at] ?? END_OF_OPTIONS;
    if (type === END_OF_OPTIONS) break;
    const length = type === NO_OPERATION ? 1 : (options[at + 1] ?? 0);
    // A length that makes no sense ends the list: nothing after it can be told apart.
    if (length < 1 || (type !== NO_OPERATION && length < 2) || at + length > options.length) break;
    if ((type & 0x80) !== 0) copied.push(...options.subarray(at, at + length));
    at += length;
  }
  return Uint8Array.from(copied);
};

const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
