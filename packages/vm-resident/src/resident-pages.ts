/** All resident pages of a machine's programs in order of use, oldest first: what the memory policy asks about. */
import type { Task } from '@backplane/engine';
import type { FrameHolder, Memory, PageFrame } from '@backplane/slots';
import type { Page } from './page.ts';

export class ResidentPages implements FrameHolder {
  readonly name = 'vm';
  readonly #memory: Memory;
  /** A set keeps the order in which its members were added. */
  readonly #pages = new Set<Page>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  used(page: Page, nowNs: number): void {
    page.usedNs = nowNs;
    this.#pages.delete(page);
    this.#pages.add(page);
  }

  frames(): number {
    return this.#pages.size;
  }

  oldestUseNs(): number | 'never' {
    return this.#oldestClean()?.usedNs ?? 'never';
  }

  *giveUp(): Task<boolean> {
    const page = this.#oldestClean();
    if (page === undefined) return false;
    this.release(page);
    return true;
  }

  /** Takes back a frame that turned out not to be needed. */
  give(frame: PageFrame): void {
    this.#memory.release(frame);
  }

  release(page: Page): void {
    this.#pages.delete(page);
    if (page.frame !== null) this.#memory.release(page.frame);
    page.frame = null;
    page.dirty = false;
  }

  #oldestClean(): Page | undefined {
    for (const page of this.#pages) if (!page.dirty) return page;
    return undefined;
  }
}
