/**
 * Directories that several managers share. Each exports the same prefix, and has the names of one range: which manager has
 * a name follows from the name's first component below the prefix, whether it exists or not, so that it is known where to
 * create it.
 */
import { compareBytes, remainderOf } from '@backplane/file-service';
import { crc32, encodeUtf8 } from '@backplane/wire';

/** The names from `from` on and below `below`, in the order of their bytes; empty: without bound. */
export interface Share {
  readonly from: string;
  readonly below: string;
}

/** What of a path decides who has it: the first component below the prefix, empty for the prefix itself. */
export function firstBelow(prefix: string, path: string): string {
  const rest = remainderOf(prefix, path);
  const end = rest.indexOf('/');
  return end < 0 ? rest : rest.slice(0, end);
}

/** Everybody has the directory itself, and knows what is above it. */
export function holds({ from, below }: Share, name: string): boolean {
  if (name === '' || name === '..') return true;
  return compareBytes(name, from) >= 0 && (below === '' || compareBytes(name, below) < 0);
}

/** Is every name in one of these ranges? */
export function coverAll(shares: Iterable<Share>): boolean {
  const inOrder = [...shares].sort((a, b) => compareBytes(a.from, b.from));
  let reached = '';
  for (const { from, below } of inOrder) {
    if (compareBytes(from, reached) > 0) return false;
    if (below === '') return true;
    if (compareBytes(below, reached) > 0) reached = below;
  }
  return false;
}

/** Beyond the groups that have a service each. */
const groupFrom = 128;
const groups = 128;

/**
 * The number of the group of those who share a directory: from its prefix, so that nobody has to hand it out. Directories
 * may come to share a group; who is asked about another one's name is silent.
 */
export const sharersGroup = (prefix: string): number => groupFrom + (crc32(encodeUtf8(prefix)) % groups);
