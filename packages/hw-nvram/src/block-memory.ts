/**
 * Non-volatile memory beside a machine's main memory: blocks by label and number, each in a place of its own, and a directory
 * of the labels with their words. There is nothing in it that a crash could take, so there is nothing to reset.
 *
 *   - a label is in the directory exactly as long as it has blocks
 *   - the places in use are those of all blocks in the directory
 */
import { charge } from '@backplane/engine';
import { Busy, type KeptLabel, type Machine, type Nvram, nvramWordsMax } from '@backplane/slots';
import { outsideOfBlock, wrongWords } from './errors.ts';

/** As many bytes of its place as were put into it; changed in place, for nobody else has it. */
interface Kept {
  readonly place: Uint8Array;
  length: number;
}

interface Label {
  words: readonly number[];
  readonly blocks: Map<number, Kept>;
}

/** A word is stored in eight bytes. */
const wordBytes = 8;

export class BlockMemory implements Nvram {
  readonly blockBytes: number;
  readonly blocksMax: number;
  blocks = 0;
  /** Of all blocks together. */
  bytes = 0;
  bytesCopied = 0;
  /** Blocks for which there was no room. */
  refusals = 0;
  readonly #machine: Machine;
  /** The one that has been known longest first. */
  readonly #labels = new Map<string, Label>();

  constructor(machine: Machine, blocksMax: number, blockBytes: number) {
    this.#machine = machine;
    this.blocksMax = blocksMax;
    this.blockBytes = blockBytes;
  }

  tryPut(label: string, block: number, at: number, bytes: Uint8Array): boolean {
    const end = at + bytes.length;
    if (!(at >= 0 && end <= this.blockBytes))
      throw outsideOfBlock(this.#machine.name, at, bytes.length, this.blockBytes);
    const kept = this.#labels.get(label)?.blocks.get(block) ?? this.#enter(label, block);
    if (kept === undefined) {
      this.refusals++;
      return false;
    }
    kept.place.set(bytes, at);
    if (end > kept.length) {
      this.bytes += end - kept.length;
      kept.length = end;
    }
    this.#copied(bytes.length);
    return true;
  }

  read(label: string, block: number): Uint8Array | undefined {
    const kept = this.#labels.get(label)?.blocks.get(block);
    if (kept === undefined) return undefined;
    this.#copied(kept.length);
    return kept.place.slice(0, kept.length);
  }

  tell(label: string, words: readonly number[]): void {
    if (words.length > nvramWordsMax || !words.every((w) => Number.isSafeInteger(w) && w >= 0))
      throw wrongWords(this.#machine.name, label, words);
    const known = this.#labels.get(label);
    if (known === undefined) return;
    known.words = [...words];
    this.#copied(words.length * wordBytes);
  }

  drop(label: string, block: number): void {
    const known = this.#labels.get(label);
    const kept = known?.blocks.get(block);
    if (known === undefined || kept === undefined) return;
    known.blocks.delete(block);
    this.blocks--;
    this.bytes -= kept.length;
    if (known.blocks.size === 0) this.#labels.delete(label);
  }

  labels(): readonly KeptLabel[] {
    return [...this.#labels].map(([label, { words, blocks }]) => ({
      label,
      words,
      blocks: [...blocks.keys()].sort((a, b) => a - b),
    }));
  }

  /** A place for a block that is not kept yet; undefined when all are taken. */
  #enter(label: string, block: number): Kept | undefined {
    if (this.blocks === this.blocksMax) return undefined;
    let known = this.#labels.get(label);
    if (known === undefined) {
      known = { words: [], blocks: new Map() };
      this.#labels.set(label, known);
    }
    const kept: Kept = { place: new Uint8Array(this.blockBytes), length: 0 };
    known.blocks.set(block, kept);
    this.blocks++;
    return kept;
  }

  /** The processor moves the bytes. */
  #copied(count: number): void {
    this.bytesCopied += count;
    charge(Math.round(count * this.#machine.type.costs.copyNsPerByte), Busy.files);
  }
}
