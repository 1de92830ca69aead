/**
 * One page of something that is in memory in part: of an open file, or of a program's own memory.
 *
 * Its bytes are handed out by reference and are frozen then: the next store makes a copy first.
 */

import type { Task } from '@backplane/engine';
import { assert, type PageFrame } from '@backplane/slots';

export type PageState = 'invalid' | 'shared' | 'owned';

/** Whose page it is: who fills it, and where it goes when its frame is wanted. */
export interface Keeper {
  /** Has dirty pages somewhere to go. */
  readonly canClean: boolean;
  /** Dirty pages stay until their frames are wanted: nobody gains by an earlier write. Absent: they go by age, too. */
  readonly keepsDirty?: boolean;
  /** May the page be used as it is, at this instant? */
  allows(page: Page, how: 'read' | 'write'): boolean;
  /** Writes a dirty page to where it belongs, and stays in memory. False when that cannot be done now. */
  clean(page: Page): Task<boolean>;
  /** Writes a dirty page to where it belongs and gives its frame back. False when that cannot be done now. */
  putAway(page: Page): Task<boolean>;
  /** Its frame is gone. */
  left(page: Page): void;
}

export class Page {
  readonly keeper: Keeper;
  readonly number: number;
  frame: PageFrame | null = null;
  state: PageState = 'invalid';
  /** Since when it has been dirty; undefined while it is clean. */
  dirtySinceNs: number | undefined = undefined;
  usedNs = 0;
  /** Somebody fills it, or has it leave: others wait. */
  busy = false;
  /** It is being written back; it may be used meanwhile. */
  writing = false;
  /** Stores, to see whether there were some while it was written back. */
  stores = 0;
  /** Of the grant that it has. */
  version = 0;
  grantedNs = 0;
  /** Grants up to this one are void: they were overtaken. */
  voidUpTo = 0;
  #handedOut = false;

  constructor(keeper: Keeper, number: number) {
    this.keeper = keeper;
    this.number = number;
  }

  get dirty(): boolean {
    return this.dirtySinceNs !== undefined;
  }

  /** Can its frame be taken at this instant, if it is clean? */
  get idle(): boolean {
    return !this.busy && !this.writing;
  }

  /** As long as the frame. Frozen. */
  content(): Uint8Array {
    this.#handedOut = true;
    return this.#frame().bytes;
  }

  /** Bytes `from` to `end` of the page. */
  copyTo(target: Uint8Array, at: number, from: number, end: number): void {
    target.set(this.#frame().bytes.subarray(from, end), at);
  }

  /** @param bytes up to a page; the rest is zeros. Not copied when it is a whole page: frozen by the call */
  fill(frame: PageFrame, bytes: Uint8Array, pageBytes: number): void {
    this.frame = frame;
    this.#handedOut = bytes.length === pageBytes;
    if (bytes.length === pageBytes) frame.bytes = bytes;
    else {
      frame.bytes = new Uint8Array(pageBytes);
      frame.bytes.set(bytes.subarray(0, pageBytes));
    }
  }

  put(at: number, bytes: Uint8Array): void {
    const frame = this.#frame();
    if (this.#handedOut) {
      frame.bytes = frame.bytes.slice();
      this.#handedOut = false;
    }
    frame.bytes.set(bytes, at);
    this.stores++;
  }

  #frame(): PageFrame {
    assert(this.frame !== null, 'vm-v', `page ${this.number} has no frame`);
    return this.frame;
  }
}
