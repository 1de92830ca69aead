/**
 * Capabilities of prefixes: who may answer for one. That clients check one for each prefix is in the abstract of Mann's
 * thesis; the form is our own.
 *
 *   phrase       a text that the managers of a prefix are given, and nobody else
 *   capability   the hash of the phrase and the prefix; a manager shows it when it registers, and with each answer
 *   image        the hash of the capability; the directory keeps it, and hands it to whoever asks
 *
 * From an image nobody finds the capability. Who has seen an answer has it, though: it travels in the clear.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** 64 hexadecimal digits, or empty: the prefix is not protected. */
export type Capability = string;
/** The same of its image. */
export type Image = string;

export const capabilityOf = (phrase: string, prefix: string): Capability =>
  phrase === '' ? '' : hash(`${phrase}\0${prefix}`);

export const imageOf = (c: Capability): Image => (c === '' ? '' : hash(c));

/** Characters of either. */
export const capabilityChars = 64;

const hash = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));
