/** The Andrew benchmark as a program: five phases over a source tree, each timed. */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { readThrough } from '../stdio.ts';
import type { Commands } from './commands.ts';
import { type CompilerOptions, compile, link } from './compiler.ts';
import { copyFiles, copyIn, find, makeDirectories, readAll, type Site, scanDirectories } from './phases.ts';
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
  /** Does not exist yet. */
  readonly target: string;
  /** Where temporary files go: a name to which suffixes are added. */
  readonly temporary: string;
  readonly instructionNs: number;
  /** Of the machine: a second run finds the programs in memory. */
  readonly commands: Commands;
}

export function* andrew(sys: Calls, p: AndrewPlaces): Task<AndrewTimes> {
  const tree = yield* find(sys, p.source);
  const sources = tree.files.filter((f) => f.endsWith('.c'));
  const site: Site = { tree, ...p };
  const phases: PhaseTime[] = [];
  const timed = function* (name: string, phase: Task<void>): Task<void> {
    const startNs = yield* sys.time();
    yield* phase;
    phases.push({ name, seconds: ((yield* sys.time()) - startNs) / 1e9 });
  };
  yield* sys.mkdir(p.target, 0o755);
  yield* timed('makedir', makeDirectories(sys, site));
  yield* timed('copy', copyFiles(sys, site));
  yield* timed('scandir', scanDirectories(sys, site));
  yield* timed('readall', readAll(sys, site));
  yield* timed('make', make(sys, site, sources, p.temporary));
  return {
    phases,
    files: tree.files.length,
    compiled: sources.length,
    skipped: sources.length > 0 ? null : 'the tree has no C sources',
  };
}

/** make: looks at every file that may decide what is to be done, compiles what is, links all of it. */
function* make(sys: Calls, site: Site, sources: readonly string[], temporary: string): Task<void> {
  if (sources.length === 0) return;
  const { tree, commands, instructionNs } = site;
  const target = copyIn(site.target);
  const headers = tree.files.filter((f) => f.endsWith('.h'));
  const o: CompilerOptions = { includes: includeDirectories(headers, target), instructionNs, commands };
  yield* commands.run(sys, 'make', function* (maker) {
    const objects: string[] = [];
    for (const f of tree.files) if (/^[Mm]akefile$/.test(f)) yield* readThrough(maker, `${target}/${f}`);
    for (const source of sources) {
      for (const f of [source, ...headers]) yield* maker.stat(`${target}/${f}`);
      const object = `${target}/${source.slice(0, -2)}.o`;
      yield* commands.run(maker, 'cc', (cc) => compile(cc, `${target}/${source}`, object, temporary, o));
      objects.push(object);
    }
    yield* commands.run(maker, 'cc', (cc) => link(cc, objects, libraryPath, `${target}/a.out`, o));
    return 0;
  });
}

/** Directories of the copy that hold headers. */
function includeDirectories(headers: readonly string[], target: string): readonly string[] {
  const below = headers.map((f) => f.slice(0, Math.max(0, f.lastIndexOf('/'))));
  return [...new Set(below)].map((d) => (d === '' ? target : `${target}/${d}`));
}
