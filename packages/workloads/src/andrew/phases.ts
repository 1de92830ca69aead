/**
 * The first four phases of the Andrew benchmark (Howard et al. 1988), as its script ran them on 4.3BSD: MakeDir with a mkdir
 * for each directory, Copy with a cp for each directory's files, ScanDir with a find that runs ls on every entry, ReadAll
 * with one that runs grep, and one that runs wc, on every file. Programs read and write by buffers of 1 KB.
 */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { copyFile, readThrough } from '../stdio.ts';
import type { Commands } from './commands.ts';
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

/** What a program that looks at each byte once, for a pattern or for words, takes for it. A guess. */
const scanInstructionsPerByte = 10;

/** As find does: reads each directory, looks at each entry. Paths are relative to the start. */
export function* find(sys: Calls, start: string): Task<Found> {
  const directories: string[] = [];
  const files: string[] = [];
  const visit = function* (path: string): Task<void> {
    for (const name of yield* sys.entries(`${start}/${path}`)) {
      const below = path === '' ? name : `${path}/${name}`;
      const { type } = yield* sys.stat(`${start}/${below}`, { follow: false });
      if (type === 'directory') {
        directories.push(below);
        yield* visit(below);
      } else if (type === 'file') files.push(below);
    }
  };
  yield* visit('');
  return { directories, files };
}

/** Makes a tree of directories like the source's. */
export function* makeDirectories(sys: Calls, { tree, target, commands }: Site): Task<void> {
  for (const d of ['', ...tree.directories])
    yield* commands.run(sys, 'mkdir', function* (mkdir) {
      yield* mkdir.mkdir(d === '' ? target : `${target}/${d}`, 0o755);
      return 0;
    });
}

export function* copyFiles(sys: Calls, { tree, source, target, commands }: Site): Task<void> {
  for (const d of ['', ...tree.directories]) {
    const files = tree.files.filter((f) => f.slice(0, Math.max(0, f.lastIndexOf('/'))) === d);
    if (files.length === 0) continue;
    yield* commands.run(sys, 'cp', function* (cp) {
      for (const f of files) {
        yield* cp.stat(`${target}/${d}`);
        yield* copyFile(cp, `${source}/${f}`, `${target}/${f}`);
      }
      return 0;
    });
  }
}

/** Looks at every entry without reading it. */
export function* scanDirectories(sys: Calls, { target, commands }: Site): Task<void> {
  yield* commands.run(sys, 'find', function* (finder) {
    const { files, directories } = yield* find(finder, target);
    for (const path of [...directories, ...files])
      yield* commands.run(finder, 'ls', function* (ls) {
        yield* ls.stat(`${target}/${path}`, { follow: false });
        // For the name of its owner.
        yield* readThrough(ls, passwordFile);
        return 0;
      });
    return 0;
  });
}

/** Reads every byte of every file, for a pattern and then for its words. */
export function* readAll(sys: Calls, { target, commands, instructionNs }: Site): Task<void> {
  for (const reader of ['grep', 'wc'])
    yield* commands.run(sys, 'find', function* (finder) {
      const { files } = yield* find(finder, target);
      for (const f of files)
        yield* commands.run(finder, reader, function* (program) {
          const size = yield* readThrough(program, `${target}/${f}`);
          yield* program.compute(size * scanInstructionsPerByte * instructionNs);
          return 0;
        });
      return 0;
    });
}
