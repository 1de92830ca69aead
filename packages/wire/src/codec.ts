/** Anything that turns values into bytes and back: a `Layout`, or a record of variable length. */
export interface Codec<T> {
  readonly name: string;
  /** @throws WireError `WIRE_RANGE` when something in the value does not fit */
  readonly encode: (value: T) => Uint8Array;
  /** @throws WireError when the bytes are not such a record */
  readonly decode: (bytes: Uint8Array) => T;
  /** As `decode`, but `undefined` when the bytes are not such a record. For bytes that somebody else made. */
  readonly tryDecode: (bytes: Uint8Array) => T | undefined;
}

/** The values that a codec or layout encodes and decodes. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;
