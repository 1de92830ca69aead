/** The Andrew benchmark as a program: five phases over a source tree, each timed. */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { type CompilerOptions, compile, linker, run } from './compiler.ts';
import { copyFiles, type Found, find, makeDirectories, readAll, scanDirectories } from './phases.ts';
import { libraryPath } from './system-files.ts';

export interface PhaseTime {
  readonly name: string;
  readonly seconds: number;
}

export interface AndrewTimes {
  readonly phases: readonly PhaseTime[];
  readonly files: number;
  readonly compiled: number;
  /** Why the last phase did nothing, if it did. */
  readonly skipped: string | null;
}

export interface AndrewPlaces {
  readonly source: string;
  /** Made by the first phase. */
  readonly target: string;
  /** Where temporary files go: a name to which suffixes are added. */
  readonly temporary: string;
  readonly instructionNs: number;
}

export function* andrew(sys: Calls, p: AndrewPlaces): Task<AndrewTimes> {
  const tree = yield* find(sys, p.source);
  const sources = tree.files.filter((f) => f.endsWith('.c'));
  const phases: PhaseTime[] = [];
  const timed = function* (name: string, phase: Task<void>): Task<void> {
    const startNs = yield* sys.time();
    yield* phase;
    phases.push({ name, seconds: ((yield* sys.time()) - startNs) / 1e9 });
  };
  yield* timed('makedir', makeDirectories(sys, tree, p.target));
  yield* timed('copy', copyFiles(sys, tree, p.source, p.target));
  yield* timed('scandir', scanDirectories(sys, p.target));
  yield* timed('readall', readAll(sys, tree, p.target));
  yield* timed('make', make(sys, tree, sources, p));
  return {
    phases,
    files: tree.files.length,
    compiled: sources.length,
    skipped: sources.length > 0 ? null : 'the tree has no C sources',
  };
}

/** make: looks at every file that may decide what is to be done, compiles what is, links all of it. */
function* make(sys: Calls, tree: Found, sources: readonly string[], p: AndrewPlaces): Task<void> {
  if (sources.length === 0) return;
  const includes = ['', ...tree.directories]
    .map((d) => (d === '' ? p.target : `${p.target}/${d}`))
    .filter((d) =>
      tree.files.some(
        (f) =>
          f.endsWith('.h') &&
          `${p.target}/${f}`.startsWith(`${d}/`) &&
          !`${p.target}/${f}`.slice(d.length + 1).includes('/'),
      ),
    );
  const o: CompilerOptions = { includes, instructionNs: p.instructionNs };
  const headers = tree.files.filter((f) => f.endsWith('.h'));
  const objects: string[] = [];
  for (const source of sources) {
    for (const f of [source, ...headers]) yield* sys.stat(`${p.target}/${f}`);
    const object = `${p.target}/${source.slice(0, -2)}.o`;
    yield* compile(sys, `${p.target}/${source}`, object, p.temporary, o);
    objects.push(object);
  }
  yield* run(sys, 'ld', linker(objects, libraryPath, `${p.target}/a.out`, o));
}
