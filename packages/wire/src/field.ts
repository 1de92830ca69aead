/**
 * The vocabulary of layouts: what a field is before it has a place (`Kind`), where it is put (`Spot`), and what it is
 * afterwards (`Field`, plain facts for dissectors and dump tools, and `Accessor`, the code that reads and writes it).
 */

export type Endian = 'big' | 'little';

/** Symbolic names of numbers: values of an enumeration, or masks of flags. */
export type Names = Readonly<Record<string, number>>;

export type KindName =
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'bits'
  | 'bit'
  | 'bytes'
  | 'ascii'
  | 'utf8'
  | 'mac'
  | 'ipv4'
  | 'array'
  | 'layout'
  | 'reserved';

/** Facts that a kind has before and after it is placed. */
export interface KindFacts {
  readonly kind: KindName;
  /** One line for people: meaning and unit. Empty when the name says it. */
  readonly doc: string;
  /** Names of single values: `{ request: 1, reply: 2 }`. */
  readonly names?: Names;
  /** Names of masks: `{ dontFragment: 0x4000 }`; a mask may have several bits. */
  readonly flags?: Names;
  /** How people write the number. */
  readonly base?: 10 | 16;
  /** Of an array: how many elements. */
  readonly count?: number;
  /** Of a nested layout: its own fields, placed from its own start. */
  readonly layout?: LayoutFacts;
}

/** A field in its place. Plain facts: a dissector or a dump tool can be generated from these alone. */
export interface Field extends KindFacts {
  readonly name: string;
  /** Bytes from the start of the layout. Of bits: the first of the whole bytes that hold them. */
  readonly offset: number;
  /** Bytes. Of bits: the whole bytes that hold them, 1 to 4. */
  readonly width: number;
  readonly endian: Endian;
  /** Of bits: value = (the `width` bytes read as one number of this `endian` >>> shift) & (2 ** count - 1). */
  readonly bits?: { readonly shift: number; readonly count: number };
  /** Of an array: its first element, placed from the start of that element; the next one follows without a gap. */
  readonly element?: Field;
}

/** A layout as plain facts. */
export interface LayoutFacts {
  readonly name: string;
  readonly doc: string;
  /** Bytes. */
  readonly size: number;
  /** In the order of declaration, reserved ones included. */
  readonly fields: readonly Field[];
}

/** Code that reads and writes one field of a record that starts at byte `at`. Allocates nothing for numbers. */
export interface Accessor<Read, Write = Read> {
  readonly get: (bytes: Uint8Array, at: number) => Read;
  readonly set: (bytes: Uint8Array, at: number, value: Write) => void;
}

/** The place that a layout found for a kind. */
export interface Spot {
  readonly offset: number;
  readonly width: number;
  /** Of bits: their distance from the least significant end of the `width` bytes. */
  readonly shift: number;
  readonly endian: Endian;
  /** `layout.field`, for errors. */
  readonly where: string;
}

/** What a kind knows before it is placed. `T` is what the field holds in a decoded record. */
export interface Kind<T> extends KindFacts, Placeable<T> {
  /** Width in bits; whole bytes for all kinds but `bits` and `bit`. */
  readonly widthBits: number;
  /** Shares bytes with its neighbours of the same sort. */
  readonly packed?: true;
  readonly at?: number;
  readonly endian?: Endian;
  readonly element?: AnyKind;
}

interface Placeable<Read, Write = Read> {
  readonly place: (spot: Spot) => Accessor<Read, Write>;
}

/** A kind of whatever type: what every `Kind<T>` can be used as. */
export interface AnyKind extends Omit<Kind<unknown>, 'place'>, Placeable<unknown, never> {}

/** What a reserved field holds: nothing that a record shows. */
export interface Reserved {
  readonly __brand: 'Reserved';
}

export interface PlaceOptions {
  /** Byte offset from the start of the layout. The gap that it leaves is reserved; fields never overlap. */
  readonly at?: number;
}
