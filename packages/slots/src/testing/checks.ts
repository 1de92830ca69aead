/** What checks compare: bytes that tell their place, and the errors that tasks end with. */
import type { Task } from '@backplane/engine';
import { isKernelError, type KernelErrorKind } from '../kernel-error.ts';

const keys = 251;

/** Bytes that differ from place to place and from key to key. */
export function pattern(length: number, key: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const from = key % keys;
  for (let i = 0; i < length; i++) {
    const at = from + i;
    bytes[i] = at * 7 + (at >>> 8) * 13 + (at >>> 4);
  }
  return bytes;
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** The kind of the error that a task ends with; 'ok' when it ends well. */
export function* kindOf(task: Task<unknown>): Task<KernelErrorKind | 'ok'> {
  try {
    yield* task;
    return 'ok';
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return e.kind;
  }
}
