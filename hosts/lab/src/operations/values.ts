/** What an operation gives back, as JSON. */
import type { Attributes } from '@backplane/slots';

export type Value = null | number | string | readonly string[] | ReadValue | StatValue;

export interface ReadValue {
  readonly length: number;
  /** Run-length text: 4096 times "a", then 12 zeros, is `4096a12\0`. */
  readonly runs: string;
}

export interface StatValue {
  readonly type: string;
  /** Octal. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly size: number;
  /** Opaque: equal for two names of one object, and never given to a second one in a run. */
  readonly inode: number;
}

export function readValue(bytes: Uint8Array): ReadValue {
  let runs = '';
  for (let from = 0; from < bytes.length; ) {
    const byte = bytes[from] ?? 0;
    let to = from + 1;
    while (to < bytes.length && bytes[to] === byte) to++;
    runs += `${to - from}${shown(byte)}`;
    from = to;
  }
  return { length: bytes.length, runs };
}

const shown = (byte: number): string =>
  byte > 0x20 && byte < 0x7f
    ? String.fromCharCode(byte)
    : byte === 0
      ? '\\0'
      : `\\x${byte.toString(16).padStart(2, '0')}`;

/** Numbers for identities, in the order in which they were seen. */
export class Inodes {
  readonly #numbers = new Map<string, number>();

  of(identity: string): number {
    const known = this.#numbers.get(identity);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.#numbers.set(identity, number);
    return number;
  }

  stat(a: Attributes): StatValue {
    return {
      type: a.type,
      mode: (a.mode & 0o7777).toString(8),
      uid: a.uid,
      gid: a.gid,
      nlink: a.links,
      size: a.type === 'directory' ? 0 : a.sizeBytes,
      inode: this.of(a.identity),
    };
  }
}
