/** File numbers: which descriptors are in use. A file's is near its directory's, a directory's in a block of its own. */
import { Bitmap } from './bitmap.ts';
import { descriptorsPerBlock, rootNumber } from './layouts.ts';

export class Numbers {
  readonly map: Bitmap;
  free = 0;
  /** Where the next directory looks first, so that its files find room near it. */
  #directoryNext = 0;

  /** Numbers 0 and 1 and the root are never given out. */
  constructor(descriptors: number) {
    this.map = new Bitmap(descriptors);
    this.recount();
  }

  recount(): void {
    for (let n = 0; n <= rootNumber; n++) if (!this.map.has(n)) this.map.put(n, true);
    this.free = this.map.countClear();
  }

  /** @returns -1 when all are in use */
  take(parent: number, directory: boolean): number {
    const { bits } = this.map;
    const from = directory ? this.#directoryNext : parent;
    let n = this.map.nextClear(from, bits);
    if (n < 0) n = this.map.nextClear(0, from);
    if (n < 0) return -1;
    this.map.put(n, true);
    this.free--;
    if (directory)
      this.#directoryNext = ((Math.floor(n / descriptorsPerBlock) + 1) * descriptorsPerBlock) % bits;
    return n;
  }

  give(n: number): void {
    if (!this.map.has(n)) return;
    this.map.put(n, false);
    this.free++;
  }
}
