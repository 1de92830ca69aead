/** Bytes as runs of equal ones: `6000a 13\0`. Equal texts for equal bytes, unless it was cut. */
export function runs(bytes: Uint8Array, most: number = Number.POSITIVE_INFINITY): string {
  const found: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    if (found.length >= most) return `${found.join(' ')} ...`;
    let to = from + 1;
    while (to < bytes.length && bytes[to] === bytes[from]) to++;
    const b = bytes[from] ?? 0;
    found.push(`${to - from}${b > 0x20 && b < 0x7f ? String.fromCharCode(b) : `\\${b}`}`);
    from = to;
  }
  return found.join(' ');
}
