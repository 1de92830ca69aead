import { describe, expectTypeOf, it } from 'vitest';
import {
  array,
  ascii,
  bit,
  bits,
  bytes,
  type Codec,
  type Ipv4Address,
  ipv4,
  type Layout,
  layout,
  type MacAddress,
  mac,
  nested,
  record,
  reserved,
  reservedBits,
  u8,
  u16,
  u32,
  u64,
  type ValueOf,
} from '../src/index.ts';

type HostId = number & { readonly __brand: 'HostId' };

const inner = layout('inner', { a: u8(), b: u64() });
const all = layout('all', {
  count: u16('how many'),
  host: u32<HostId>('who'),
  channel: bits<HostId>(8),
  urgent: bit(),
  spare: reservedBits(7),
  gap: reserved(3),
  name: ascii(8),
  key: bytes(6),
  station: mac(),
  address: ipv4(),
  inner: nested(inner),
  list: array(u16(), 4),
  inners: array(nested(inner), 2),
});

interface All {
  readonly count: number;
  readonly host: HostId;
  readonly channel: HostId;
  readonly urgent: boolean;
  readonly name: string;
  readonly key: Uint8Array;
  readonly station: MacAddress;
  readonly address: Ipv4Address;
  readonly inner: { readonly a: number; readonly b: bigint };
  readonly list: readonly number[];
  readonly inners: readonly { readonly a: number; readonly b: bigint }[];
}

describe('the types of a layout', () => {
  it('are those of its fields, reserved ones left out', () => {
    expectTypeOf<ValueOf<typeof all>>().toEqualTypeOf<All>();
    expectTypeOf(all.decode).returns.toEqualTypeOf<All>();
    expectTypeOf(all.tryDecode).returns.toEqualTypeOf<All | undefined>();
    expectTypeOf(all.encode).parameter(0).toEqualTypeOf<All>();
  });

  it('reach the accessors and offsets', () => {
    expectTypeOf(all.get.host).returns.toEqualTypeOf<HostId>();
    expectTypeOf(all.set.station).parameter(2).toEqualTypeOf<MacAddress>();
    expectTypeOf(all.offset.list).toEqualTypeOf<number>();
    // @ts-expect-error a reserved field is not read
    all.get.spare;
    // @ts-expect-error nor is a field that was not declared
    all.get.other;
    // @ts-expect-error an Internet address is not a MAC address
    () => all.set.station(new Uint8Array(100), 0, all.decode(new Uint8Array(100)).address);
  });

  it('fit an interface that was written by hand, and no other', () => {
    const exact: Layout<{ readonly a: number; readonly b: bigint }> = inner;
    expectTypeOf(exact).toExtend<Codec<{ readonly a: number; readonly b: bigint }>>();
    // @ts-expect-error a field is missing in the declaration
    const larger: Layout<{ readonly a: number; readonly b: bigint; readonly c: number }> = inner;
    // @ts-expect-error a field is missing in the interface
    const smaller: Layout<{ readonly a: number }> = inner;
    // @ts-expect-error u64 is a bigint
    const other: Layout<{ readonly a: number; readonly b: number }> = inner;
    void [larger, smaller, other];
  });

  it('want every field of a value', () => {
    // @ts-expect-error b is missing
    () => inner.encode({ a: 1 });
    // @ts-expect-error b is a bigint
    () => inner.encode({ a: 1, b: 2 });
  });

  it('are those that a record of variable length was declared with', () => {
    const names = record<readonly string[]>(
      'names',
      (to, value) => to.list(value, (each, name) => each.string(name)),
      (from) => from.list((each) => each.string()),
    );
    expectTypeOf<ValueOf<typeof names>>().toEqualTypeOf<readonly string[]>();
    expectTypeOf(names).toExtend<Codec<readonly string[]>>();
  });
});
