/**
 * Segment grants in messages: where they stand, and what they allow. The layout is the contract's (`grantBit`).
 *
 * The kernel of the sender numbers its grants, in the upper 24 bits of the word with the rights. A move names the number,
 * so that one which is still under way when the sender has gone on finds no later grant of it.
 */
import { grantBit, type Message, type SegmentGrant, wordOf } from '@backplane/slots';

export const READ = 1;
export const WRITE = 2;
export type Right = typeof READ | typeof WRITE;

/** In byte 1 of a message, the uppermost of the code. */
const bitInByte = grantBit >>> 16;
const wordMax = 0xffff_ffff;

export const grantsSegment = ({ control }: Message): boolean => ((control[1] ?? 0) & bitInByte) !== 0;

/** Can it be written into a message at all? */
export const isGrant = ({ address, bytes }: SegmentGrant): boolean =>
  isWord(address) && isWord(bytes) && address + bytes <= wordMax + 1;

export const isWord = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= wordMax;

const numberMax = 0xff_ffff;
/** What stands where a program has written the grant by itself: this tells nothing about the send. */
export const unnumbered = 0;

export const nextNumber = (last: number): number => (last % numberMax) + 1;

/** The message with a grant of that number in its words 3 to 5. */
export function withGrant(
  message: Message,
  { read, write, address, bytes }: SegmentGrant,
  number: number,
): Message {
  const control = message.control.slice();
  control[1] = (control[1] ?? 0) | bitInByte;
  putWord(control, 12, (number << 8) | (read ? READ : 0) | (write ? WRITE : 0));
  putWord(control, 16, address);
  putWord(control, 20, bytes);
  return { control, segment: message.segment };
}

function putWord(control: Uint8Array, at: number, word: number): void {
  control[at] = word >>> 24;
  control[at + 1] = word >>> 16;
  control[at + 2] = word >>> 8;
  control[at + 3] = word;
}

export const numberOf = (message: Message): number => wordOf(message, 3) >>> 8;

/** The message without one: from a process that has no memory to grant. */
export function withoutGrant(message: Message): Message {
  const control = message.control.slice();
  control[1] = (control[1] ?? 0) & ~bitInByte;
  return { control, segment: message.segment };
}

export function grantOf(message: Message): SegmentGrant | null {
  if (!grantsSegment(message)) return null;
  const rights = wordOf(message, 3);
  return {
    read: (rights & READ) !== 0,
    write: (rights & WRITE) !== 0,
    address: wordOf(message, 4),
    bytes: wordOf(message, 5),
  };
}

/** Is the right given, and does the range lie within the grant? */
export const allows = (grant: SegmentGrant, right: Right, address: number, bytes: number): boolean =>
  (right === READ ? grant.read : grant.write) &&
  isWord(address) &&
  isWord(bytes) &&
  address >= grant.address &&
  address + bytes <= grant.address + grant.bytes;
