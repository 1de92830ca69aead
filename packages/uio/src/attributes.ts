/**
 * What an open object can do, announced when it is created and when it is asked after, so that a client finds out before it
 * starts and not in the middle (Cheriton 1987). The names are V's; the record has neither their bits nor all their meanings.
 */
import { KernelError } from '@backplane/slots';

export const UioAttribute = {
  readable: 0x0001,
  writeable: 0x0002,
  /** What is there stays; writes go to the end. */
  appendOnly: 0x0004,
  /** A block read again is the same unless somebody has written it meanwhile. */
  storage: 0x0008,
  /** Blocks in any order. Without it: one after the other, and the last one once more. */
  randomAccess: 0x0010,
  /** A source or a sink that others are at the other end of: what was read is gone. */
  stream: 0x0020,
  /** Writing does not change where it ends. */
  fixedLength: 0x0040,
  /** Blocks that are not full may come before the end: their limits mean something. */
  variableBlock: 0x0080,
  /** A person may be at the other end: who reads ahead waits in vain, who keeps output back keeps it from being seen. */
  interactive: 0x0100,
  /** Several blocks in one operation, up to 16 KB. */
  multiBlock: 0x0200,
  /** Ranges of blocks can be locked. */
  locking: 0x0400,
} as const;

/** Compulsory is one of the first two; each other one is an option, and says which operation there is. */
export type UioAttributeName = keyof typeof UioAttribute;

export const has = (attributes: number, name: UioAttributeName): boolean =>
  (attributes & UioAttribute[name]) !== 0;

export const attributeBits = (...names: readonly UioAttributeName[]): number =>
  names.reduce((bits, name) => bits | UioAttribute[name], 0);

/** @throws KernelError `unsupported` for an object that cannot do it */
export function demandAttribute(attributes: number, name: UioAttributeName): void {
  if (!has(attributes, name)) throw new KernelError('unsupported', `an object that is not ${name}`);
}
