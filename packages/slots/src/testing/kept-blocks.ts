/** An `nvram` for the tests of one board, and the model of others: blocks in a map, and nothing is charged. */
import type { KeptLabel, Nvram } from '../nvram.ts';

export class KeptBlocks implements Nvram {
  readonly blockBytes: number;
  readonly blocksMax: number;
  readonly #blocks = new Map<string, Map<number, Uint8Array>>();
  readonly #words = new Map<string, readonly number[]>();

  constructor(blocksMax: number, blockBytes = 4096) {
    this.blocksMax = blocksMax;
    this.blockBytes = blockBytes;
  }

  get blocks(): number {
    return [...this.#blocks.values()].reduce((sum, of) => sum + of.size, 0);
  }

  tryPut(label: string, block: number, at: number, bytes: Uint8Array): boolean {
    const before = this.#blocks.get(label)?.get(block);
    if (before === undefined && this.blocks === this.blocksMax) return false;
    const after = new Uint8Array(Math.max(before?.length ?? 0, at + bytes.length));
    after.set(before ?? []);
    after.set(bytes, at);
    const of = this.#blocks.get(label) ?? new Map<number, Uint8Array>();
    this.#blocks.set(label, of.set(block, after));
    return true;
  }

  read(label: string, block: number): Uint8Array | undefined {
    return this.#blocks.get(label)?.get(block)?.slice();
  }

  tell(label: string, words: readonly number[]): void {
    if (this.#blocks.has(label)) this.#words.set(label, [...words]);
  }

  drop(label: string, block: number): void {
    const of = this.#blocks.get(label);
    of?.delete(block);
    if (of?.size !== 0) return;
    this.#blocks.delete(label);
    this.#words.delete(label);
  }

  labels(): readonly KeptLabel[] {
    return [...this.#blocks].map(([label, of]) => ({
      label,
      words: this.#words.get(label) ?? [],
      blocks: [...of.keys()].sort((a, b) => a - b),
    }));
  }
}
