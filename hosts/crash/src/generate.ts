/**
 * Short sequences of operations on two directories with two files each (Mohan et al.: Finding Crash-Consistency Bugs with
 * Bounded Black-Box Crash Testing, OSDI 2018). What a sequence needs is made before it, and confirmed; in the end everything
 * is confirmed, so that all that was changed goes to the disk.
 *
 * Pruned: what cannot work (an operation that must fail leaves the disk as it was), and of sequences that differ only in
 * which directory is called A and which file foo, all but one.
 */
import type { RandomStream } from '@backplane/engine';
import type { CrashOperation, CrashWorkload } from './operation.ts';

/** What must be at a path before an operation, and what is there afterwards. */
type Thing = 'file' | 'directory' | 'nothing';

interface Step {
  readonly text: string;
  readonly operation: (letter: number) => CrashOperation;
  readonly needs: readonly (readonly [path: string, thing: Thing])[];
  readonly leaves: readonly (readonly [path: string, thing: Thing])[];
  /** A directory that must be empty, or is moved with all that it has. */
  readonly emptied?: readonly string[];
}

const directories = ['/A', '/B'] as const;
const files: readonly string[] = directories.flatMap((d) => [`${d}/foo`, `${d}/bar`]);
const mode = 0o755;
const fileBytes = 6000;

const steps: readonly Step[] = [
  ...files.flatMap((path): Step[] => [
    plain('creat', path, () => ({ op: 'creat', path, mode: 0o644 }), 'nothing', 'file'),
    plain('overwrite', path, (byte) => ({ op: 'write', path, offset: 2000, length: 4096, byte })),
    plain('write-hole', path, (byte) => ({ op: 'write', path, offset: 13_000, length: 2000, byte })),
    plain('append', path, (byte) => ({ op: 'append', path, length: 3000, byte })),
    plain('shorten', path, () => ({ op: 'trunc', path, size: 1000 })),
    plain('extend', path, () => ({ op: 'trunc', path, size: 9000 })),
    plain('symlink', path, () => ({ op: 'symlink', text: `${path}.target`, path }), 'nothing', 'file'),
    plain('unlink', path, () => ({ op: 'unlink', path }), 'file', 'nothing'),
    plain('fsync', path, () => ({ op: 'fsync', path })),
    ...files
      .filter((to) => to !== path)
      .flatMap((to): Step[] => [
        pair('link', path, to, 'nothing', 'file'),
        pair('rename', path, to, 'nothing', 'nothing'),
        pair('replace', path, to, 'file', 'nothing'),
      ]),
  ]),
  ...[...directories, '/A/sub', '/B/sub'].flatMap((path): Step[] => [
    plain('mkdir', path, () => ({ op: 'mkdir', path, mode }), 'nothing', 'directory'),
    {
      ...plain('rmdir', path, () => ({ op: 'rmdir', path }), 'directory', 'nothing'),
      emptied: [path],
    },
  ]),
  ...directories.flatMap((path): Step[] => [
    plain('fsync', path, () => ({ op: 'fsync', path }), 'directory', 'directory'),
    ...directories
      .filter((to) => to !== path)
      .flatMap((to): Step[] => [
        { ...pair('rename', path, to, 'nothing', 'nothing', 'directory'), emptied: [path, to] },
        { ...pair('replace', path, to, 'directory', 'nothing', 'directory'), emptied: [path, to] },
        withFile(path, to),
        pair('rename', `${path}/sub`, `${to}/sub`, 'nothing', 'nothing', 'directory'),
      ]),
  ]),
  { text: 'sync', operation: () => ({ op: 'sync' }), needs: [], leaves: [] },
];

function plain(
  word: string,
  path: string,
  operation: (letter: number) => CrashOperation,
  before: Thing = 'file',
  after: Thing = 'file',
): Step {
  return { text: `${word} ${path}`, operation, needs: [[path, before]], leaves: [[path, after]] };
}

function pair(
  word: 'link' | 'rename' | 'replace',
  from: string,
  to: string,
  there: Thing,
  left: Thing,
  thing: Thing = 'file',
): Step {
  return {
    text: `${word} ${from} ${to}`,
    operation: () => ({ op: word === 'link' ? 'link' : 'rename', from, to }),
    needs: [
      [from, thing],
      [to, there],
    ],
    leaves: [
      [from, left],
      [to, thing],
    ],
  };
}

/** A directory is moved with a file in it. */
function withFile(from: string, to: string): Step {
  const moved = pair('rename', from, to, 'nothing', 'nothing', 'directory');
  return {
    ...moved,
    text: `rename-full ${from} ${to}`,
    needs: [...moved.needs, [`${from}/foo`, 'file']],
    leaves: [...moved.leaves, [`${from}/foo`, 'nothing'], [`${to}/foo`, 'file']],
  };
}

export interface Generated {
  readonly length: number;
  readonly generated: number;
  readonly pruned: number;
  readonly sequences: readonly CrashWorkload[];
}

/** All sequences of a length of 1 or 2. */
export function sequencesOf(length: number): Generated {
  const sequences: CrashWorkload[] = [];
  let generated = 0;
  const extend = (chosen: readonly Step[]): void => {
    // What an exchange makes come earlier begins earlier already.
    if (!isFirstOfItsKind(chosen)) {
      generated += steps.length ** (length - chosen.length);
      return;
    }
    if (chosen.length < length) {
      for (const s of steps) extend([...chosen, s]);
      return;
    }
    generated++;
    const made = workloadOf(chosen);
    if (made !== null) sequences.push(made);
  };
  extend([]);
  return { length, generated, pruned: generated - sequences.length, sequences };
}

/** Some of a length, of those that are not pruned. */
export function sampledSequences(
  length: number,
  count: number,
  random: RandomStream,
): readonly CrashWorkload[] {
  const found: CrashWorkload[] = [];
  while (found.length < count) {
    const made = workloadOf(Array.from({ length }, () => random.pick(steps)));
    if (made !== null) found.push(made);
  }
  return found;
}

/** Null for one that is pruned. */
function workloadOf(chosen: readonly Step[]): CrashWorkload | null {
  if (!isFirstOfItsKind(chosen)) return null;
  const needed = needs(chosen);
  if (needed === null) return null;
  const made: CrashOperation[] = [];
  for (const d of [...directories, '/A/sub', '/B/sub']) {
    const thing = needed.get(d);
    const used = [...needed].some(([path, t]) => path.startsWith(`${d}/`) && t !== 'nothing');
    const named = chosen.some((s) => s.needs.some(([path]) => path.startsWith(`${d}/`)));
    if (thing === 'directory' || (thing === undefined && (used || named)))
      made.push({ op: 'mkdir', path: d, mode });
  }
  for (const path of files)
    if (needed.get(path) === 'file')
      made.push(
        { op: 'creat', path, mode: 0o644 },
        { op: 'write', path, offset: 0, length: fileBytes, byte: 'a'.charCodeAt(0) },
      );
  const prelude: readonly CrashOperation[] = [...made, { op: 'sync' }];
  const own = chosen.map((s, i) => s.operation('b'.charCodeAt(0) + i));
  return {
    name: chosen.map((s) => s.text).join('; '),
    operations: [...prelude, ...own, { op: 'sync' }],
    prelude: prelude.length,
    points: [],
    demands: [],
  };
}

/** What must be there before the first one; null when one of them cannot work. */
function needs(chosen: readonly Step[]): ReadonlyMap<string, Thing> | null {
  const before = new Map<string, Thing>();
  const now = new Map<string, Thing>();
  const require = (path: string, thing: Thing): boolean => {
    const known = now.get(path);
    if (known !== undefined) return known === thing;
    // What lies in a directory that was made just now, or was moved, is known too.
    before.set(path, thing);
    now.set(path, thing);
    return true;
  };
  let last = '';
  for (const s of chosen) {
    if (s.text === last && s.text.includes('sync')) return null; // nothing is left to do
    last = s.text;
    for (const [path, thing] of s.needs) {
      const parent = path.slice(0, path.lastIndexOf('/'));
      if (parent !== '' && !require(parent, 'directory')) return null;
      if (!require(path, thing)) return null;
    }
    for (const d of s.emptied ?? []) {
      for (const [path, thing] of now) if (path.startsWith(`${d}/`) && thing !== 'nothing') return null;
      // Nothing may turn out later to have been in it.
      for (const path of [...files, '/A/sub', '/B/sub'])
        if (path.startsWith(`${d}/`)) now.set(path, 'nothing');
    }
    for (const [path, thing] of s.leaves) {
      const made = thing === 'directory' && now.get(path) !== 'directory';
      now.set(path, thing);
      if (made)
        for (const inside of [...files, '/A/sub', '/B/sub'])
          if (inside.startsWith(`${path}/`) && !now.has(inside)) now.set(inside, 'nothing');
    }
  }
  return before;
}

/** Exchanges of names that change nothing: the directories, and the files of each. */
const exchanges: readonly ((text: string) => string)[] = [false, true].flatMap((swap) =>
  [false, true].flatMap((inA) =>
    [false, true].map(
      (inB) => (text: string) =>
        text
          .replace(/\/([AB])\/(foo|bar)/g, (_, d: string, f: string) => {
            const other = (d === 'A' ? inA : inB) ? (f === 'foo' ? 'bar' : 'foo') : f;
            return `/${d}/${other}`;
          })
          .replace(/\/([AB])\b/g, (_, d: string) => `/${swap ? (d === 'A' ? 'B' : 'A') : d}`),
    ),
  ),
);

/** The text of each step under each exchange, with an end that is in none of them. */
const exchanged: ReadonlyMap<Step, readonly string[]> = new Map(
  steps.map((s) => [s, exchanges.map((exchange) => `${exchange(s.text)};`)]),
);

/** No exchange makes a text of it that comes earlier. */
function isFirstOfItsKind(chosen: readonly Step[]): boolean {
  return exchanges.every((_, i) => {
    for (const s of chosen) {
      const other = exchanged.get(s)?.[i] ?? '';
      const own = `${s.text};`;
      if (other !== own) return other > own;
    }
    return true;
  });
}
