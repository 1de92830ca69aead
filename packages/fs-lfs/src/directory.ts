/**
 * A directory in memory: its names by block, and an index of them all. A change is made here at once, without waiting for
 * anything; the blocks that it touched are written down when the directory goes into the log.
 */
import { decodeUtf8, encodeUtf8Into, utf8Length } from '@backplane/wire';
import { blockBytes, blockHeader, directoryMagic, directoryRecord, isSealed, seal } from './layouts.ts';

export interface Entry {
  readonly name: string;
  readonly file: number;
  readonly generation: number;
  /** The directory's block that it is in. */
  readonly block: number;
}

interface Block {
  /** As they have come in, which is how they are written down. */
  readonly entries: Entry[];
  roomBytes: number;
}

const capacity = blockBytes - blockHeader.size;
const recordBytes = (name: string): number => directoryRecord.size + utf8Length(name);

export class Directory {
  readonly #number: number;
  readonly #generation: number;
  readonly #blocks: Block[] = [];
  readonly #index = new Map<string, Entry>();
  /** Blocks that the log does not have as they are here. */
  readonly #changed = new Set<number>();
  /** No block before this one has room for any name. */
  #roomFrom = 0;

  constructor(number: number, generation: number) {
    this.#number = number;
    this.#generation = generation;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  get isEmpty(): boolean {
    return this.#index.size === 0;
  }

  get clean(): boolean {
    return this.#changed.size === 0;
  }

  find(name: string): Entry | undefined {
    return this.#index.get(name);
  }

  /** In no particular order. */
  *all(): Iterable<Entry> {
    for (const b of this.#blocks) yield* b.entries;
  }

  /** Enters a name, or lets it lead elsewhere. */
  enter(name: string, file: number, generation: number): void {
    const there = this.#index.get(name);
    const needed = recordBytes(name);
    const n = there?.block ?? this.#roomFor(needed);
    const block = this.#block(n);
    const entry = { name, file, generation, block: n };
    if (there === undefined) {
      block.entries.push(entry);
      block.roomBytes -= needed;
    } else block.entries[block.entries.indexOf(there)] = entry;
    this.#index.set(name, entry);
    this.#changed.add(n);
  }

  leave(name: string): void {
    const entry = this.#index.get(name);
    if (entry === undefined) return;
    const n = entry.block;
    this.#index.delete(name);
    const block = this.#block(n);
    block.entries.splice(block.entries.indexOf(entry), 1);
    block.roomBytes += recordBytes(name);
    this.#roomFrom = Math.min(this.#roomFrom, n);
    this.#changed.add(n);
  }

  /** Blocks to be written, with their content; they count as written from now on. */
  *take(): Iterable<{ readonly block: number; readonly bytes: Uint8Array }> {
    for (const n of [...this.#changed].sort((a, b) => a - b)) {
      this.#changed.delete(n);
      yield { block: n, bytes: this.#encode(n) };
    }
  }

  /** The cleaner wants a block written again. */
  rewrite(block: number): void {
    if (block < this.#blocks.length) this.#changed.add(block);
  }

  /** @returns false when the bytes are no block of this directory, or say something impossible */
  decode(block: number, bytes: Uint8Array): boolean {
    const h = blockHeader.tryDecode(bytes);
    if (
      h === undefined ||
      h.magic !== directoryMagic ||
      h.owner !== this.#number ||
      h.generation !== this.#generation ||
      h.index !== block ||
      !isSealed(bytes)
    )
      return false;
    const into = this.#block(block);
    let at = blockHeader.size;
    for (let i = 0; i < h.count; i++) {
      const r = directoryRecord.tryDecode(bytes, at);
      at += directoryRecord.size;
      if (r === undefined || r.nameBytes === 0 || at + r.nameBytes > bytes.length) return false;
      const name = decodeUtf8(bytes.subarray(at, at + r.nameBytes));
      at += r.nameBytes;
      if (this.#index.has(name)) return false;
      const entry = { name, file: r.file, generation: r.generation, block };
      this.#index.set(name, entry);
      into.entries.push(entry);
      into.roomBytes -= directoryRecord.size + r.nameBytes;
    }
    return into.roomBytes >= 0;
  }

  #roomFor(needed: number): number {
    let n = this.#roomFrom;
    while (n < this.#blocks.length && this.#block(n).roomBytes < needed) n++;
    // What has no room for a long name may have it for a short one: only full blocks are passed for good.
    while (this.#roomFrom < n && this.#block(this.#roomFrom).roomBytes < roomMin) this.#roomFrom++;
    return n;
  }

  #block(n: number): Block {
    let block = this.#blocks[n];
    if (block === undefined) {
      block = { entries: [], roomBytes: capacity };
      this.#blocks[n] = block;
    }
    return block;
  }

  #encode(n: number): Uint8Array {
    const { entries } = this.#block(n);
    const bytes = new Uint8Array(blockBytes);
    blockHeader.encode(
      {
        magic: directoryMagic,
        checksum: 0,
        owner: this.#number,
        generation: this.#generation,
        index: n,
        count: entries.length,
      },
      bytes,
    );
    const { set } = directoryRecord;
    let at = blockHeader.size;
    for (const { name, file, generation } of entries) {
      const end = encodeUtf8Into(name, bytes, at + directoryRecord.size);
      set.file(bytes, at, file);
      set.generation(bytes, at, generation);
      set.nameBytes(bytes, at, end - at - directoryRecord.size);
      at = end;
    }
    return seal(bytes);
  }
}

/** Room that is too little for most names. */
const roomMin = 64;
