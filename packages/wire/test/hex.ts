/** Bytes written as a person writes a packet down: pairs of hexadecimal digits, white space and `| comments` to line ends. */
export const hex = (text: string): Uint8Array => {
  const digits = text.replace(/\|.*$/gm, '').replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hexadecimal: ${text}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
};

/** A small generator for seeded loops (xorshift32): integers from 0 to `below` - 1. */
export const seeded = (seed: number): ((below: number) => number) => {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};

export const randomBytes = (random: (below: number) => number, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => random(256));

/** Puts the elements into another order. */
export const shuffled = <T>(random: (below: number) => number, elements: readonly T[]): readonly T[] =>
  elements
    .map((element) => ({ element, rank: random(0x40000000) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ element }) => element);

/** Whether two long runs of bytes are equal: `toEqual` takes its time over each element. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, index) => octet === b[index]);

/** The value, which a test expects to be there. */
export const defined = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('undefined where a value was expected');
  return value;
};
