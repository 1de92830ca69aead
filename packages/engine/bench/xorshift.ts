/** The generator of all workloads: xorshift32 on 32-bit words, the same in every language that runs them. */

/** First state for an id. */
export function seedOf(id: number): number {
  return (Math.imul(id, 2654435761) + 12345) | 1;
}

/** Next state, as a signed 32-bit word. */
export function xorshift(x: number): number {
  x ^= x << 13;
  x ^= x >>> 17;
  return x ^ (x << 5);
}
