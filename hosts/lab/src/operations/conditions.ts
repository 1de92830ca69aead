/** Conditions: what must hold at a path. `A; B` hold together, `A | B` are alternatives. */
import type { Condition, Content } from './operation.ts';
import { malformed, splitOutsideQuotes, Words } from './words.ts';

export function parseConditions(
  text: string,
  alternatives: boolean,
  file: string,
  line: number,
): readonly (readonly Condition[])[] {
  const parts = alternatives ? splitOutsideQuotes(text, '|') : [text];
  return parts.map((part) =>
    splitOutsideQuotes(part, ';')
      .map((c) => c.trim())
      .filter((c) => c !== '')
      .map((c) => parseCondition(c, file, line)),
  );
}

function parseCondition(text: string, file: string, line: number): Condition {
  const w = new Words(text, file, line);
  const first = w.word('a condition');
  if (first === 'absent' || first === 'exists') {
    const path = w.word('a path');
    w.end();
    return { is: first, path };
  }
  if (first === 'readlink' || first === 'count') {
    const path = w.word('a path');
    w.choice('what stands between', ['=']);
    const value = first === 'count' ? w.count('how many') : w.word('the text');
    w.end();
    return typeof value === 'number'
      ? { is: 'count', path, count: value }
      : { is: 'link', path, text: value };
  }
  const all: Content[] = [];
  while (!w.done) all.push(parseContent(w));
  if (all.length === 0)
    throw malformed(
      file,
      line,
      `nothing is said about "${first}".`,
      'Write exists PATH, or PATH size=4096 byte=a',
    );
  return { is: 'content', path: first, all };
}

function parseContent(w: Words): Content {
  const word = w.word('what holds');
  if (word === 'same-inode') return { is: 'same-inode', path: w.word('a path') };
  const [name = '', value = ''] = word.split('=');
  const range = /^range\((\d+),(\d+)\)$/.exec(name);
  if (range !== null)
    return { is: 'range', from: Number(range[1]), to: Number(range[2]), byte: byteOf(w, value) };
  const prefix = /^prefix\((\d+)\)$/.exec(name);
  if (prefix !== null) return { is: 'prefix', length: Number(prefix[1]), byte: byteOf(w, value) };
  if (name === 'size' && /^\d+$/.test(value)) return { is: 'size', size: Number(value) };
  if (name === 'nlink' && /^\d+$/.test(value)) return { is: 'nlink', count: Number(value) };
  if (name === 'mode' && /^[0-7]+$/.test(value)) return { is: 'mode', mode: Number.parseInt(value, 8) };
  if (name === 'byte') return { is: 'byte', byte: byteOf(w, value) };
  throw w.wrong(
    `"${word}" says nothing about a file.`,
    'Say size=N, byte=B, nlink=N, range(FROM,TO)=B, prefix(N)=B, mode=M or same-inode PATH.',
  );
}

/** One character, or `zero`. */
function byteOf(w: Words, text: string): number {
  if (text === 'zero') return 0;
  if (text.length !== 1) throw w.wrong(`a byte is one character or zero, not "${text}".`);
  return text.charCodeAt(0);
}
