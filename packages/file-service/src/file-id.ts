/** File identifiers as keys and as tokens: the server that minted a token is the only one that takes it apart. */
import { type FileId, type Token, token } from '@backplane/slots';

export const sameFile = (a: FileId, b: FileId): boolean =>
  a.number === b.number && a.generation === b.generation && a.domain === b.domain;

/** For maps: equal for the same file only, over all its server's domains. */
export const fileKey = (f: FileId): string => `${f.domain}.${f.number}.${f.generation}`;

export const fileToken = (f: FileId): Token => token(fileKey(f));

/** The file of a token, or undefined if these are not three small numbers. */
export function fileOfToken(t: Token | string): FileId | undefined {
  const parts = t.split('.').map(Number);
  const [domain, number, generation] = parts;
  if (parts.length !== 3 || !isCount(domain) || !isCount(number) || !isCount(generation)) return undefined;
  return { domain, number, generation };
}

const isCount = (n: number | undefined): n is number =>
  n !== undefined && Number.isInteger(n) && n >= 0 && n <= 0xffffffff;
