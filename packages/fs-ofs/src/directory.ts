/**
 * A directory in memory: its chunks as they are on the disk, and an index by name. Whoever uses it has the directory's
 * lock. Every change is one chunk written as a whole.
 */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { compareNames, decodeChunk, type Entry, encodeChunk, entryOf, recordBytes, roomIn } from './chunk.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Handle } from './handle.ts';
import { blockBytes, chunkBytes, none } from './layouts.ts';

export class Directory {
  static {
    tasks(Directory);
  }

  readonly #handle: Handle;
  readonly #bytes: FileBytes;
  readonly #chunks: (readonly Entry[])[] = [];
  /** Bytes of each chunk that a new record may take. */
  readonly #room: number[] = [];
  /** Name to chunk. */
  readonly #index = new Map<string, number>();

  constructor(handle: Handle, bytes: FileBytes) {
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /** Reads all of it. @throws KernelError `ioError` */
  *load(): Task<void> {
    const { sizeBytes } = this.#handle.descriptor;
    if (sizeBytes === 0 || sizeBytes % chunkBytes !== 0) throw damaged('size of a directory');
    for (let from = 0; from < sizeBytes; from += blockBytes) {
      const hole = (yield* this.#handle.map.find(from / blockBytes)) === none;
      const bytes = yield* this.#bytes.read(this.#handle, from, blockBytes);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        const { entries, sound } = hole ? { entries: [], sound: true } : decodeChunk(bytes, at);
        if (!sound) throw damaged('chunk of a directory');
        for (const e of entries) if (!this.#index.has(e.name)) this.#index.set(e.name, this.#chunks.length);
        this.#room.push(roomIn(entries));
        this.#chunks.push(entries);
      }
    }
    if (this.find('.') !== this.#handle.id.number || this.find('..') === undefined)
      throw damaged('directory without itself');
  }

  /** A new one, which leads to itself and to its parent. */
  *begin(parent: number): Task<void> {
    yield* this.#put(0, [entryOf('.', this.#handle.id.number), entryOf('..', parent)]);
  }

  /** The number under a name. */
  find(name: string): number | undefined {
    const chunk = this.#index.get(name);
    return chunk === undefined ? undefined : this.#chunks[chunk]?.find((e) => e.name === name)?.file;
  }

  get parent(): number {
    return this.find('..') ?? 0;
  }

  get empty(): boolean {
    return this.#index.size <= 2;
  }

  /** Sorted by the bytes of their names, without "." and "..". */
  sorted(): Entry[] {
    return this.#chunks
      .flat()
      .filter((e) => e.name !== '.' && e.name !== '..')
      .sort(compareNames);
  }

  /** @throws KernelError `noSpace` when the directory would have to grow and cannot; nothing has changed then */
  *enter(name: string, file: number): Task<void> {
    const entry = entryOf(name, file);
    const needed = recordBytes(entry.nameBytes.length);
    let chunk = this.#room.findIndex((bytes) => bytes >= needed);
    if (chunk < 0) chunk = this.#chunks.length;
    yield* this.#put(chunk, [...(this.#chunks[chunk] ?? []), entry]);
  }

  /** The name leads elsewhere from now on. */
  *replace(name: string, file: number): Task<void> {
    const chunk = this.#chunkOf(name);
    yield* this.#put(
      chunk,
      this.#entries(chunk).map((e) => (e.name === name ? { ...e, file } : e)),
    );
  }

  *remove(name: string): Task<void> {
    const chunk = this.#chunkOf(name);
    yield* this.#put(
      chunk,
      this.#entries(chunk).filter((e) => e.name !== name),
    );
  }

  /**
   * Takes one name away and lets another lead to the same file, in one write where a single chunk holds both.
   *
   * @returns false, and nothing has changed, where it takes two
   */
  *renameWithin(oldName: string, newName: string, file: number): Task<boolean> {
    const chunk = this.#chunkOf(oldName);
    const there = this.#index.get(newName);
    if (there !== undefined && there !== chunk) return false;
    const entries = this.#entries(chunk).filter((e) => e.name !== oldName && e.name !== newName);
    entries.push(entryOf(newName, file));
    if (roomIn(entries) < 0) return false;
    yield* this.#put(chunk, entries);
    return true;
  }

  *#put(chunk: number, entries: readonly Entry[]): Task<void> {
    yield* this.#bytes.write(this.#handle, chunk * chunkBytes, encodeChunk(entries));
    for (const e of this.#chunks[chunk] ?? [])
      if (this.#index.get(e.name) === chunk) this.#index.delete(e.name);
    for (const e of entries) this.#index.set(e.name, chunk);
    this.#chunks[chunk] = entries;
    this.#room[chunk] = roomIn(entries);
  }

  #chunkOf(name: string): number {
    const chunk = this.#index.get(name);
    if (chunk === undefined) throw damaged('name that is not there');
    return chunk;
  }

  #entries(chunk: number): readonly Entry[] {
    return this.#chunks[chunk] ?? [];
  }
}
