/**
 * The first four phases of the Andrew benchmark (Howard et al. 1988), as its script ran them: MakeDir makes the tree's
 * directories five times over, Copy runs a cp for each file, ScanDir a find that runs ls -l on every entry and then du,
 * ReadAll a find that runs grep on every entry and another that runs wc. Programs read and write by buffers of 1 KB. What
 * they print is not kept.
 */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { isThere } from '../missing.ts';
import { copyFile, readThrough } from '../stdio.ts';
import type { Commands } from './commands.ts';
import { andrewConstants } from './constants.ts';
import { passwordFile } from './system-files.ts';

/** The directories and files below a directory, parents first, names sorted. */
export interface Found {
  readonly directories: readonly string[];
  readonly files: readonly string[];
}

/** What the phases work with: a tree, where it is copied to, and the programs of the machine. */
export interface Site {
  readonly tree: Found;
  readonly source: string;
  readonly target: string;
  readonly commands: Commands;
  /** Nanoseconds of this machine for one instruction. */
  readonly instructionNs: number;
}

/** As the script calls them, below the target. Files are copied into the first; the others stay empty. */
const copies = ['testfs1', 'testfs2', 'testfs3', 'testfs4', 'testfs5'] as const;

/** The directory below the target that gets the files. */
export const copyIn = (target: string): string => `${target}/${copies[0]}`;

/** As find does: reads each directory, looks at each entry. Paths are relative to the start. */
export function* find(sys: Calls, start: string): Task<Found> {
  const directories: string[] = [];
  const files: string[] = [];
  const visit = function* (path: string): Task<void> {
    for (const name of yield* sys.entries(below(start, path))) {
      const entry = path === '' ? name : `${path}/${name}`;
      const { type } = yield* sys.stat(`${start}/${entry}`, { follow: false });
      if (type === 'directory') {
        directories.push(entry);
        yield* visit(entry);
      } else if (type === 'file') files.push(entry);
    }
  };
  yield* visit('');
  return { directories, files };
}

/** Makes the directories of the tree, five times, each time with one mkdir. */
export function* makeDirectories(sys: Calls, { tree, target, commands }: Site): Task<void> {
  for (const copy of copies)
    yield* commands.run(sys, 'mkdir', function* (mkdir) {
      for (const d of ['', ...tree.directories]) yield* mkdir.mkdir(below(`${target}/${copy}`, d), 0o755);
      return 0;
    });
}

export function* copyFiles(sys: Calls, { tree, source, target, commands }: Site): Task<void> {
  for (const f of tree.files)
    yield* commands.run(sys, 'cp', function* (cp) {
      const to = below(copyIn(target), f);
      // A directory would get the file into it.
      yield* isThere(cp.stat(to));
      yield* copyFile(cp, `${source}/${f}`, to);
      return 0;
    });
}

/** Looks at every entry without reading it. */
export function* scanDirectories(sys: Calls, { target, commands }: Site): Task<void> {
  yield* forEach(sys, commands, target, 'ls', function* (ls, path, isDirectory) {
    yield* ls.stat(path, { follow: false });
    if (isDirectory)
      for (const name of yield* ls.entries(path)) yield* ls.stat(`${path}/${name}`, { follow: false });
    // For the names of owners.
    yield* readThrough(ls, passwordFile);
  });
  yield* commands.run(sys, 'du', function* (du) {
    yield* find(du, target);
    return 0;
  });
}

/** Reads every byte of every file, for a pattern and then for its words. */
export function* readAll(sys: Calls, { target, commands, instructionNs }: Site): Task<void> {
  for (const reader of ['grep', 'wc'])
    yield* forEach(sys, commands, target, reader, function* (program, path, isDirectory) {
      // A directory was a file like another.
      if (isDirectory) yield* program.entries(path);
      else {
        const size = yield* readThrough(program, path);
        yield* program.compute(size * andrewConstants.scanInstructionsPerByte.value * instructionNs);
      }
    });
}

/** find with -exec: runs a program on a directory, and on all that lies below it. */
function* forEach(
  sys: Calls,
  commands: Commands,
  start: string,
  name: string,
  look: (program: Calls, path: string, isDirectory: boolean) => Task<void>,
): Task<void> {
  yield* commands.run(sys, 'find', function* (finder) {
    const { directories, files } = yield* find(finder, start);
    for (const [paths, isDirectory] of [
      [['', ...directories], true],
      [files, false],
    ] as const)
      for (const path of paths)
        yield* commands.run(finder, name, function* (program) {
          yield* look(program, below(start, path), isDirectory);
          return 0;
        });
    return 0;
  });
}

const below = (directory: string, path: string): string => (path === '' ? directory : `${directory}/${path}`);
