/** Codecs for records of variable length. */
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Codec } from './codec.ts';
import { badRecord } from './errors.ts';
import type { Endian } from './field.ts';

/**
 * A codec for a record of variable length, from its two halves. The bytes must hold exactly one record: `read` has to
 * use them up.
 *
 *   const name = record<string>('name', (to, value) => to.string(value), (from) => from.string(255));
 *
 * `read` is handed a reader that never throws; what it makes of a failed reader's zeros is thrown away.
 */
export const record = <T>(
  name: string,
  write: (to: ByteWriter, value: T) => void,
  read: (from: ByteReader) => T,
  options: { readonly endian?: Endian } = {},
): Codec<T> => {
  const attempt = (bytes: Uint8Array): { readonly value: T } | undefined => {
    const from = new ByteReader(bytes, options);
    const value = read(from);
    return from.failed || from.remaining > 0 ? undefined : { value };
  };
  return {
    name,
    encode(value) {
      const to = new ByteWriter(options);
      write(to, value);
      return to.finish();
    },
    decode(bytes) {
      const whole = attempt(bytes);
      if (!whole) throw badRecord(name, bytes.length);
      return whole.value;
    },
    tryDecode(bytes) {
      return attempt(bytes)?.value;
    },
  };
};
