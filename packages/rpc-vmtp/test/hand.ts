/** Packets written by hand, and made or read by the package. */
import { type EntityId, Frame, type Message, message } from '@backplane/slots';
import { ETHER_TYPES } from '@backplane/wire';
import { expect } from 'vitest';
import {
  type ChecksumCover,
  encodeHeading,
  entityNumber,
  type Flaw,
  type Heading,
  Packet,
  packetGroup,
  sentBlocks,
} from '../src/index.ts';

/** Bytes from hexadecimal digits; anything after a bar is a remark. */
function hex(text: string): Uint8Array {
  const digits = text
    .split('\n')
    .map((line) => line.replace(/\|.*/, '').replaceAll(' ', ''))
    .join('');
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not hexadecimal: ${digits}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** The same digits in words of four bytes, for comparison and for reading. */
export function words(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return (digits.match(/.{1,8}/g) ?? []).join(' ');
}

/** What two packets must have in common, in the form of `words`. */
export const said = (text: string): string => words(hex(text));

export const joined = (parts: readonly Uint8Array[]): Uint8Array => frameOf(parts).payload();

/** As it arrives. */
export const frameOf = (parts: readonly Uint8Array[]): Frame => new Frame(1, 2, ETHER_TYPES.v, parts);

/** What becomes of bytes that arrive in one piece. */
export function arrive(bytes: Uint8Array, packet: Packet = new Packet()): Flaw | 'packet' {
  return packet.read(frameOf([bytes])) ?? 'packet';
}

/** The bytes as a packet, which they are. */
export function packetOf(bytes: Uint8Array): Packet {
  const packet = new Packet();
  expect(packet.read(frameOf([bytes])), words(bytes.subarray(0, 64))).toBeUndefined();
  return packet;
}

/** All packets of a message, each as its bytes. */
export function packetsOf(
  heading: Heading,
  m: Message,
  { dataBytes = 1432, cover = 'none', mask = sentBlocks(m) }: GroupOptions = {},
): Uint8Array[] {
  return packetGroup(encodeHeading(heading), m, mask, dataBytes, cover).map(joined);
}

interface GroupOptions {
  readonly dataBytes?: number;
  readonly cover?: ChecksumCover;
  readonly mask?: number;
}

/** The two who talk in the examples: BE-25593-36.8.0.49 asks BE-7-36.8.0.50. */
export const asker: EntityId = entityNumber(0, 25593, 0x2408_0031);
export const asked: EntityId = entityNumber(0, 7, 0x2408_0032);

export const request: Heading = { client: asker, server: asked, response: false, transaction: 1 };
export const response: Heading = { ...request, response: true };

export const bare: Message = message({ code: 0x42 });

/** Whether they hold the same: for long ones, which `toEqual` compares slowly. */
export const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Bytes that differ from their neighbours and from the same place in other blocks. */
export const pattern = (length: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 9) * 13 + seed) & 0xff);

const zeros = (count: number): string => '00000000 '.repeat(count);

/** Whole packets, checksum and all. Blocks are of one byte each, which is how their sums could be added up by hand. */
export const golden: Readonly<Record<string, Uint8Array>> = {
  'a bare request': hex(`
    000063f9 24080031  | client BE-25593-36.8.0.49
    0001 0000          | version 0, domain 1; no control bits, no data
    00000000           | no flags, never sent before, not forwarded, no gap, normal, a request
    00000001           | transaction
    00000000           | no blocks
    00000007 24080032  | server BE-7-36.8.0.50
    00000042           | no message flags, operation 0x42
    ${zeros(7)}
    ac750042           | checksum`),

  'a request with five bytes': hex(`
    000063f9 24080031
    0001 0002          | two words of data
    00000000
    00000002           | transaction
    00000001           | block 0
    00000007 24080032
    10000042           | segment
    ${zeros(6)}
    00000005           | its bytes
    68656c6c 6f000000  | hello, padded
    f04b1047`),

  'the same, its header summed alone': hex(`
    000063f9 24080031
    0001 8002          | HCO
    00000000
    00000002 00000001
    00000007 24080032
    10000042
    ${zeros(6)}
    00000005
    68656c6c 6f000000
    2c7a1047`),

  'a notice to a client': hex(`
    00000007 24080032  | from the server of the request above
    00010000
    00000000
    00000009           | a transaction of its own
    00000000
    40000001 e0000100  | to the managers: RG-1-224.0.1.0
    4500010f           | datagram, co-resident, public: NotifyVmtpClient
    000063f9 24080031  | the client, at whose host
    00000001           | the packet: first transmission, of a request, as a response's
    00000000           | receptions are not counted
    00000002           | its transaction
    00000001           | block 0 is here
    00000000           | ok
    454dce45`),

  'a notice to a server': hex(`
    000063f9 24080031
    00010000 00000000
    00000003 00000000
    40000001 e0000100
    45000110           | NotifyVmtpServer
    00000007 24080032  | the server, at whose host
    000063f9 24080031  | the client
    00000002           | its transaction
    0000003f           | blocks 0 to 5 are here
    00000001           | retry
    a938f2c5`),

  'a response': hex(`
    000063f9 24080031  | client: who it goes to
    00010000
    40 10 00 c1        | APG; retransmission 1; no gap; urgent, a response
    00000002 00000000
    00000007 24080032  | server: who responds
    40000000           | may be done again; ok
    ${zeros(7)}
    ed474000`),

  'the first packet of two': hex(`
    000063f9 24080031
    0001 0100          | 256 words of data
    00 00 0c 00        | gap 12/32 of a packet's time
    00000003
    00000003           | blocks 0 and 1
    00000007 24080032
    10000043
    ${zeros(6)}
    00000600           | 1536 bytes
    ${'a1'.repeat(512)}
    ${'b2'.repeat(512)}
    e3a4406d`),

  'the second packet of two': hex(`
    000063f9 24080031
    0001 0080          | 128 words of data
    00 00 0c 00
    00000003
    00000004           | block 2
    00000007 24080032
    10000043
    ${zeros(6)}
    00000600
    ${'c3'.repeat(512)}
    9addf824`),

  'a question to all managers': hex(`
    00000001 e0000100  | BE-1-224.0.1.0, who has no number yet
    0001 2000          | MPG
    00000000 00000000 00000000
    40000001 e0000100  | RG-1-224.0.1.0
    05000101           | co-resident, public: ProbeEntity
    00000007 24080032  | to the host of this one
    00000007 24080032  | about this one
    00000000           | no domain of authentication
    00000000 00000000
    22054e83`),

  'a response without one of its blocks': hex(`
    000063f9 24080031
    0001 00c6          | 198 words of data: 788 bytes and 4 of padding
    00000001
    00000004
    00000005           | blocks 0 and 2
    00000007 24080032
    70000000           | may be done again, some blocks, segment
    ${zeros(5)}
    00000005           | blocks 0 and 2 are all that is sent
    00000514           | of 1300 bytes
    ${'e5'.repeat(512)}
    ${'f6'.repeat(276)}
    00000000
    039b25ca`),
};

export function goldenPacket(name: string): Uint8Array {
  const bytes = golden[name];
  if (bytes === undefined) throw new Error(`no golden packet is called ${name}`);
  return bytes;
}

/** The same without a checksum, which four bytes of zero say. */
export function unsummed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.fill(0, copy.length - 4);
  return copy;
}
