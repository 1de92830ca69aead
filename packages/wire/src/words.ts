/** The integers that a sequence is made of, in one byte order: what `ByteWriter` and `ByteReader` have in common. */
import type { Accessor, Endian, Spot } from './field.ts';
import { i32, u64At } from './integers.ts';
import { u8At, u16At, u32At } from './word.ts';

export interface Words {
  readonly endian: Endian;
  readonly u8: Accessor<number>;
  readonly u16: Accessor<number>;
  readonly u32: Accessor<number>;
  readonly i32: Accessor<number>;
  readonly u64: Accessor<bigint>;
}

const words = (endian: Endian): Words => {
  const spot = (where: string, width: number): Spot => ({ offset: 0, width, shift: 0, endian, where });
  return {
    endian,
    u8: u8At(spot('u8', 1)),
    u16: u16At(spot('u16', 2)),
    u32: u32At(spot('u32', 4)),
    i32: i32().place(spot('i32', 4)),
    u64: u64At(spot('u64', 8)),
  };
};

const BIG: Words = words('big');
const LITTLE: Words = words('little');

export const wordsOf = (endian: Endian): Words => (endian === 'big' ? BIG : LITTLE);
