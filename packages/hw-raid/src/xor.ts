/** Exclusive or of buffers of one length, whole sectors: the arithmetic of parity. */

export function xorInto(into: Uint8Array, from: Uint8Array): void {
  if (into.byteOffset % 4 === 0 && from.byteOffset % 4 === 0 && into.length % 4 === 0) {
    const a = new Uint32Array(into.buffer, into.byteOffset, into.length / 4);
    const b = new Uint32Array(from.buffer, from.byteOffset, from.length / 4);
    for (let i = 0; i < a.length; i++) a[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
    return;
  }
  for (let i = 0; i < from.length; i++) into[i] = (into[i] ?? 0) ^ (from[i] ?? 0);
}

/** @param length of each, in bytes; zeros where there is none */
export function xorOf(length: number, parts: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(length);
  for (const part of parts) xorInto(sum, part);
  return sum;
}
