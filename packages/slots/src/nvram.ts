/**
 * Slot `nvram`: a memory of the machine that keeps blocks through crashes, halts and reboots, and can be listed afterwards.
 *
 * A block is named by a label, which is any text of its owner's, and a number. Of each label the memory keeps a few words
 * beside the blocks: what the owner has to know of them in its next life. Labels begin with the name of the board that
 * thought of them.
 *
 *   - every block takes the room of a whole one, however few its bytes; labels and words take none of it
 *   - a label is known as long as a block of it is kept; its words go with its last block
 *   - an operation is done entirely or not at all, whatever happens to the machine
 *   - bytes are copied, in and out: nobody shares them with the memory
 *
 * Nothing here blocks: the processor time of moving bytes is charged to the thread that moves them, and passes when that
 * next settles or suspends. So what is put here and what is done beside it in the same step survive together.
 * Lost in a crash: nothing.
 */

/** Most words that are kept of a label; each is a whole number from 0 to 2^53 - 1. */
export const nvramWordsMax = 16;

export interface KeptLabel {
  readonly label: string;
  /** As they were told last; none before. */
  readonly words: readonly number[];
  /** Numbers of its blocks, ascending. */
  readonly blocks: readonly number[];
}

export interface Nvram {
  readonly blockBytes: number;
  readonly blocksMax: number;
  /** Blocks that are kept now. */
  readonly blocks: number;
  /**
   * Copies bytes into a block, at an offset in it. A block that is not kept yet begins empty, and has zeros before the
   * offset. False: there is no room for another block, and nothing has changed.
   *
   * @param at with the bytes within `blockBytes`
   */
  tryPut(label: string, block: number, at: number, bytes: Uint8Array): boolean;
  /** A copy of a block, as long as what was put into it; undefined when it is not kept. */
  read(label: string, block: number): Uint8Array | undefined;
  /** Replaces the words of a label. Does nothing when no block of it is kept. */
  tell(label: string, words: readonly number[]): void;
  /** Takes a block out, if it is there. */
  drop(label: string, block: number): void;
  /** Everything, the label that has been known longest first. */
  labels(): readonly KeptLabel[];
}
