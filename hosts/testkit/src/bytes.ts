/** Bytes as checks show them: by length and a checksum, since an error that lists thousands tells nothing. */
export function digest(bytes: Uint8Array): string {
  let sum = 17;
  for (let i = 0; i < bytes.length; i++) sum = (Math.imul(sum, 31) + (bytes[i] ?? 0)) | 0;
  return `${bytes.length} bytes, sum ${sum >>> 0}`;
}

/** So many bytes of one value. */
export const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
