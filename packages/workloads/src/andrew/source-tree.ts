/**
 * A tree of our own for the Andrew benchmark, of the original's size: 70 files, about 200 KB (Howard et al. 1988; the
 * original was the source of a program of that time and is not ours to ship). A small library in C: modules with their
 * headers, notes and a Makefile. The sources are real C and compile; they are written by rule, so that they need no place.
 */

export interface SourceFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly text: string;
}

const nouns = [
  'stack',
  'queue',
  'table',
  'graph',
  'token',
  'buffer',
  'vector',
  'symbol',
  'record',
  'bitset',
  'matrix',
  'string',
  'bucket',
  'cursor',
  'editor',
  'filter',
  'index',
  'journal',
  'kernel',
  'ledger',
  'marker',
  'parser',
  'region',
  'window',
];

export function andrewSources(): readonly SourceFile[] {
  const files: SourceFile[] = [
    { path: 'Makefile', text: makefile() },
    { path: 'README', text: notes('the library', 30) },
  ];
  for (const [i, noun] of nouns.entries()) {
    files.push({ path: `include/${noun}.h`, text: header(noun, i) });
    files.push({ path: `${directory(i)}/${noun}.c`, text: module(noun, i) });
  }
  for (const noun of nouns.slice(0, 20)) files.push({ path: `notes/${noun}.txt`, text: notes(noun, 24) });
  return files;
}

const directory = (i: number): string => ['base', 'text', 'work'][i % 3] ?? 'base';
const other = (i: number, step: number): string => nouns[(i + step) % nouns.length] ?? 'stack';

function makefile(): string {
  const objects = nouns.map((n, i) => `${directory(i)}/${n}.o`);
  const rules = nouns.map(
    (n, i) =>
      `${directory(i)}/${n}.o: ${directory(i)}/${n}.c include/${n}.h include/${other(i, 1)}.h include/${other(i, 5)}.h\n\tcc -c -Iinclude -o $@ ${directory(i)}/${n}.c\n`,
  );
  return `OBJECTS = ${objects.join(' \\\n\t')}\n\nlibrary: $(OBJECTS)\n\tld -o library $(OBJECTS) -lc\n\n${rules.join('\n')}`;
}

function header(noun: string, i: number): string {
  const guard = `${noun.toUpperCase()}_H`;
  const lines = [
    `/* ${noun}.h: what a ${noun} is, and what can be done to one. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <stdio.h>',
    '',
  ];
  lines.push(
    `#define ${noun.toUpperCase()}_LIMIT ${64 + i * 8}`,
    '',
    `struct ${noun} {`,
    `    long slots[${noun.toUpperCase()}_LIMIT];`,
    '    int used;',
    '    int high;',
    `    unsigned long mark;`,
    '};',
    '',
  );
  for (const verb of verbs)
    lines.push(`extern long ${noun}_${verb}(struct ${noun} *it, long key, long value);`);
  return `${[...lines, '', '#endif', ''].join('\n')}`;
}

const verbs = ['insert', 'lookup', 'remove', 'rotate', 'digest', 'compact', 'merge', 'weigh'];

function module(noun: string, i: number): string {
  const limit = `${noun.toUpperCase()}_LIMIT`;
  const parts = [
    `/*\n * ${noun}.c: operations on a ${noun}.\n */\n#include <stdlib.h>\n#include "${noun}.h"\n#include "${other(i, 1)}.h"\n#include "${other(i, 5)}.h"\n`,
  ];
  parts.push(`static const long ${noun}_weights[128] = {\n${weights(i)}};\n`);
  for (const [v, verb] of verbs.entries()) parts.push(routine(noun, verb, limit, i, v));
  return parts.join('\n');
}

/** A table of numbers by a linear congruence: eight in a line. */
function weights(i: number): string {
  const lines: string[] = [];
  let x = 7919 * (i + 1);
  for (let row = 0; row < 16; row++) {
    const numbers: number[] = [];
    for (let column = 0; column < 8; column++) {
      x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
      numbers.push(x % 100_000);
    }
    lines.push(`    ${numbers.join(', ')},\n`);
  }
  return lines.join('');
}

function routine(noun: string, verb: string, limit: string, i: number, v: number): string {
  const step = 1 + ((i * 7 + v * 3) % 13);
  const neighbour = verbs[(v + 1) % verbs.length] ?? 'lookup';
  const recurse =
    v < verbs.length - 1
      ? `        if (it->mark % ${step + 2} == 0)\n            value += ${noun}_${neighbour}(it, key + ${step}, value);\n`
      : '';
  return `/*
 * ${noun}_${verb}: walks the slots by ${step}, and keeps the mark.
 */
long
${noun}_${verb}(struct ${noun} *it, long key, long value)
{
    int slot = (int) (((unsigned long) key * ${2654435 + v}UL) % ${limit});
    int tries;

    for (tries = 0; tries < ${limit}; tries += ${step}) {
        long weight = ${noun}_weights[(slot + tries) % 128];
        if (it->slots[slot] == key || it->slots[slot] == 0) {
            it->slots[slot] = key ^ weight;
            it->used += ${v % 2 === 0 ? 1 : -1};
            it->mark = it->mark * 31 + (unsigned long) value;
            break;
        }
        slot = (slot + ${step}) % ${limit};
    }
    if (it->used > it->high) {
        it->high = it->used;
${recurse}    }
    return value + it->slots[slot];
}
`;
}

function notes(noun: string, lines: number): string {
  const words = [
    'is',
    'kept',
    'in',
    'order',
    'of',
    'use',
    'and',
    'found',
    'by',
    'its',
    'key',
    'when',
    'the',
    'mark',
    'moves',
  ];
  return Array.from(
    { length: lines },
    (_, l) =>
      `${l + 1}. The ${noun} ${Array.from({ length: 8 }, (_, w) => words[(l * 5 + w * 3) % words.length]).join(' ')}.`,
  ).join('\n');
}
