/**
 * What programs find on the system, and not in the tree: the headers that every source includes, the C library, and the file
 * of users.
 *
 * The sizes of headers and library were chosen for the bytes that the benchmark reads and writes, published as 54.9 and 34.4
 * KB/s over 249 s (Nelson, Welch, Ousterhout 1988): 14.0 and 8.8 million. It reads 14.2, what the kernel reads of programs
 * left out, and writes 8.7.
 */
import { andrewConstants } from './constants.ts';
import type { SourceFile } from './source-tree.ts';

const includes = [
  'ctype',
  'errno',
  'limits',
  'math',
  'setjmp',
  'signal',
  'stdarg',
  'stddef',
  'stdio',
  'stdlib',
  'string',
  'time',
];
export const libraryBytes: number = andrewConstants.libraryBytes.value;

export const includeDirectory = '/usr/include';
export const libraryPath = '/lib/libc.a';
export const passwordFile = '/etc/passwd';
/** Of a machine with a few users. */
export const passwordBytes = 900;

/** Every header includes the next, so that any of them brings all. */
export function systemHeaders(): readonly SourceFile[] {
  return includes.map((name, i) => {
    const next = includes[(i + 1) % includes.length];
    const guard = `_${name.toUpperCase()}_H_`;
    let text = `#ifndef ${guard}\n#define ${guard}\n#include <${next}.h>\n`;
    for (let n = 0; text.length < andrewConstants.headerBytes.value; n++)
      text += `extern int _${name}_${n}(int, const char *, unsigned long);\n`;
    return { path: `${name}.h`, text: `${text}#endif\n` };
  });
}
