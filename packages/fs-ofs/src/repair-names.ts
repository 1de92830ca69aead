/**
 * The repair's walk from the root: which names are true.
 *
 * A directory has one parent. Where several lead to it (a move that the power cut in the middle), the one that its ".."
 * names keeps it, unless that would cut it off from the root; else the one that was found first. A directory whose first
 * chunk is lost is no directory any more.
 */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { componentBytesMax } from '@backplane/slots';
import { decodeChunk, type Entry, entryOf, roomIn } from './chunk.ts';
import { fragmentsIn } from './descriptor.ts';
import { blockBytes, chunkBytes, linksMax, none, rootNumber } from './layouts.ts';
import type { Found, Repair } from './repair.ts';

export interface FoundDirectory {
  readonly found: Found;
  /** Entries by chunk; "." and ".." are in the first. */
  readonly chunks: Entry[][];
  readonly changed: Set<number>;
  /** Of its blocks; `none` for a hole. */
  readonly addresses: readonly number[];
}

/** An entry that leads to a directory. */
interface Candidate {
  readonly parent: FoundDirectory;
  readonly entry: Entry;
}

export class RepairNames {
  static {
    tasks(RepairNames);
  }

  readonly #repair: Repair;
  readonly #directories = new Map<number, FoundDirectory>();
  readonly #candidates = new Map<number, Candidate[]>();
  /** Directory to the one it was reached from; the root to itself. */
  readonly #parents = new Map<number, number>();

  constructor(repair: Repair) {
    this.#repair = repair;
  }

  /** Directories that stay, as they are to be. */
  get kept(): Iterable<FoundDirectory> {
    return this.#directories.values();
  }

  *walk(): Task<void> {
    const root = this.#repair.found.get(rootNumber);
    if (root?.descriptor.type !== 'directory') throw damaged('root directory');
    root.reached = true;
    this.#parents.set(rootNumber, rootNumber);
    const queue = [root];
    for (let f = queue.shift(); f !== undefined; f = queue.shift()) {
      const directory = yield* this.#open(f);
      if (directory !== undefined) this.#follow(directory, queue);
      else if (f === root) throw damaged('root directory');
      else this.#lose(f);
    }
    this.#chooseParents();
    this.#mendParents();
    this.#countLinks();
  }

  /** Reads a directory; undefined when its beginning is lost. */
  *#open(f: Found): Task<FoundDirectory | undefined> {
    const d = f.descriptor;
    const whole = d.sizeBytes - (d.sizeBytes % chunkBytes);
    if (whole !== d.sizeBytes) {
      d.sizeBytes = whole;
      f.damaged = true;
    }
    yield* this.#repair.claim(f);
    if (whole === 0 || (d.direct[0] ?? none) === none) return undefined;
    const addresses = yield* this.#repair.addressesOf(d);
    const directory: FoundDirectory = { found: f, chunks: [], changed: new Set(), addresses };
    for (const [n, address] of addresses.entries()) {
      const bytesHere = Math.min(blockBytes, whole - n * blockBytes);
      const bytes =
        address === none
          ? null
          : yield* this.#repair.readFragments({ address, fragments: fragmentsIn(whole, n) });
      for (let at = 0; at < bytesHere; at += chunkBytes) {
        const { entries, sound } = bytes === null ? { entries: [], sound: true } : decodeChunk(bytes, at);
        if (!sound) this.#change(directory, directory.chunks.length);
        directory.chunks.push([...entries]);
      }
    }
    this.#mendBeginning(directory);
    this.#directories.set(f.number, directory);
    return directory;
  }

  /** "." and ".." come first; ".." is looked at again when the parent is known. */
  #mendBeginning(directory: FoundDirectory): void {
    const [first = []] = directory.chunks;
    const own = directory.found.number;
    const [dot, dots] = first;
    if (dot?.name === '.' && dot.file === own && dots?.name === '..') return;
    // What lies below the root is too much to be freed for one bad sector.
    if (own === rootNumber) throw damaged('root directory');
    const parent = first.find((e) => e.name === '..')?.file ?? 0;
    const rest = first.filter((e) => e.name !== '.' && e.name !== '..');
    first.splice(0, first.length, entryOf('.', own), entryOf('..', parent === 0 ? own : parent), ...rest);
    while (roomIn(first) < 0) first.pop();
    this.#change(directory, 0);
  }

  /** Goes through the entries: files are counted, directories are to be visited, what is wrong goes. */
  #follow(directory: FoundDirectory, queue: Found[]): void {
    const names = new Set<string>();
    let subdirectories = 0;
    for (const [chunk, entries] of directory.chunks.entries()) {
      const good = entries.filter((e, i) => {
        if (chunk === 0 && i < 2) return true;
        const child = this.#repair.found.get(e.file);
        if (child === undefined || !isName(e) || names.has(e.name)) return false;
        const isDirectory = child.descriptor.type === 'directory';
        if ((isDirectory ? subdirectories + 2 : child.links) >= linksMax) return false;
        names.add(e.name);
        if (!isDirectory) {
          child.links++;
          child.reached = true;
          return true;
        }
        subdirectories++;
        this.#candidates.set(child.number, [
          ...(this.#candidates.get(child.number) ?? []),
          { parent: directory, entry: e },
        ]);
        if (!child.reached) {
          child.reached = true;
          this.#parents.set(child.number, directory.found.number);
          queue.push(child);
        }
        return true;
      });
      if (good.length === entries.length) continue;
      directory.chunks[chunk] = good;
      this.#change(directory, chunk);
    }
  }

  /** A directory without a beginning: no name leads there. */
  #lose(f: Found): void {
    f.reached = false;
    this.#parents.delete(f.number);
  }

  #chooseParents(): void {
    for (const [number, candidates] of this.#candidates) {
      const directory = this.#directories.get(number);
      if (number !== rootNumber && directory !== undefined && candidates.length > 1) {
        const wanted = directory.chunks[0]?.[1]?.file ?? 0;
        const named = candidates.some((c) => c.parent.found.number === wanted);
        if (named && !this.#isAbove(number, wanted)) this.#parents.set(number, wanted);
      }
      const parent = number === rootNumber ? undefined : this.#parents.get(number);
      let chosen = false;
      for (const { parent: from, entry } of candidates) {
        if (!chosen && from.found.number === parent) chosen = true;
        else this.#remove(from, entry);
      }
    }
  }

  /** Does the way from `below` to the root pass through this directory? */
  #isAbove(number: number, below: number): boolean {
    for (let at = below; at !== rootNumber; at = this.#parents.get(at) ?? rootNumber)
      if (at === number) return true;
    return false;
  }

  #mendParents(): void {
    for (const directory of this.#directories.values()) {
      const parent = this.#parents.get(directory.found.number) ?? rootNumber;
      const [first] = directory.chunks;
      if (first === undefined || first[1]?.file === parent) continue;
      first[1] = entryOf('..', parent);
      this.#change(directory, 0);
    }
  }

  #countLinks(): void {
    for (const { found } of this.#directories.values()) found.links = 2;
    for (const [number, parent] of this.#parents) {
      const above = this.#directories.get(parent)?.found;
      if (number !== rootNumber && above !== undefined) above.links++;
    }
  }

  #remove(from: FoundDirectory, entry: Entry): void {
    for (const [chunk, entries] of from.chunks.entries()) {
      const at = entries.indexOf(entry);
      if (at < 0) continue;
      entries.splice(at, 1);
      this.#change(from, chunk);
      return;
    }
  }

  #change(directory: FoundDirectory, chunk: number): void {
    directory.changed.add(chunk);
    directory.found.damaged = true;
    this.#repair.repairs++;
  }
}

function isName(e: Entry): boolean {
  const { name } = e;
  return (
    e.nameBytes.length > 0 &&
    e.nameBytes.length <= componentBytesMax &&
    name !== '.' &&
    name !== '..' &&
    !name.includes('/') &&
    !name.includes('\0')
  );
}
