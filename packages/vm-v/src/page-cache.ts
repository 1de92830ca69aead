/**
 * The one cache of page frames: pages of files and of programs alike, in order of use, oldest first. Which of them goes when
 * a frame is wanted does not depend on whose it is.
 *
 *   who wants a frame                the oldest page is clean    the oldest page is dirty
 *   we do, the policy has none       it goes                     it is written back, and goes
 *   another holder                   it goes                     the oldest clean one goes; dirty ones begin to be written
 *
 * Nobody else ever waits for a page of ours to be written back: he may be the file server that would have to store it. So
 * that there always are clean ones, no more than `dirtyShareMax` of all frames may be dirty: who stores beyond that first
 * writes the oldest dirty page back.
 */
import { type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import {
  type FrameHolder,
  KernelError,
  type Machine,
  type Memory,
  type MemoryPolicy,
  type PageFrame,
} from '@backplane/slots';
import type { Page } from './page.ts';

const dirtyShareMax = 3 / 4;
/** Pages that are written back at a time when clean ones are short. */
const batch = 8;

export class PageCache implements FrameHolder {
  static {
    tasks(PageCache);
  }

  readonly name = 'vm';
  readonly machine: Machine;
  readonly #memory: Memory;
  readonly #policy: MemoryPolicy;
  readonly #writeBackNs: number;
  /** Pages with frames. A set keeps the order in which its members were added. */
  readonly #pages = new Set<Page>();
  /** Those that can be cleaned, in the order in which they became dirty. */
  readonly #dirty = new Set<Page>();
  /** Frames that were claimed for pages that are being filled. */
  #underWay = 0;
  #cleaning = false;
  readonly #timer: Timer;
  /** A page left, became idle, or became clean. */
  readonly #changed: WaitQueue = new WaitQueue();
  faults = 0;
  hits = 0;
  evictions = 0;
  writeBacks = 0;

  constructor(memory: Memory, policy: MemoryPolicy, machine: Machine, writeBackNs: number) {
    this.machine = machine;
    this.#memory = memory;
    this.#policy = policy;
    this.#writeBackNs = writeBackNs;
    this.#timer = new Timer(machine.scope, 'vm.write-back', () => this.#startCleaning(true));
    policy.register(this);
  }

  get pageBytes(): number {
    return this.#memory.frameBytes;
  }

  get nowNs(): number {
    return this.machine.engine.nowNs;
  }

  get dirtyPages(): number {
    return this.#dirty.size;
  }

  /** Too many pages are dirty to make one more so. */
  get tooDirty(): boolean {
    return this.#dirty.size >= Math.max(1, Math.floor(dirtyShareMax * this.#memory.frameCount));
  }

  // ---- what keepers tell ----

  /** A frame for a page that is about to be filled: it is to be entered, or returned. */
  *claim(): Task<PageFrame> {
    for (;;) {
      const frame = this.#policy.tryClaim(this) ?? (yield* this.#policy.claim(this));
      if (frame !== undefined) {
        this.#underWay++;
        return frame;
      }
      if (yield* this.#recycle()) continue;
      if (this.#underWay === 0 && !this.#someoneWorks())
        throw new KernelError('noSpace', 'every page frame is dirty or in use');
      yield* this.#changed.wait();
    }
  }

  returned(frame: PageFrame): void {
    this.#underWay--;
    this.#memory.release(frame);
    this.changed();
  }

  entered(page: Page, frame: PageFrame, bytes: Uint8Array): void {
    this.#underWay--;
    page.fill(frame, bytes, this.pageBytes);
    this.used(page);
    this.changed();
  }

  used(page: Page): void {
    page.usedNs = this.nowNs;
    this.#pages.delete(page);
    this.#pages.add(page);
  }

  stored(page: Page): void {
    if (page.dirty) return;
    page.dirtySinceNs = this.nowNs;
    if (!page.keeper.canClean) return;
    this.#dirty.add(page);
    if (page.keeper.keepsDirty === true) return;
    if (this.#writeBackNs > 0 && !this.#timer.armed && !this.#cleaning) this.#timer.set(this.#writeBackNs);
  }

  cleaned(page: Page): void {
    page.dirtySinceNs = undefined;
    if (this.#dirty.delete(page)) this.changed();
  }

  /** Gives the frame of a page back, whatever is in it. */
  drop(page: Page): void {
    const { frame } = page;
    if (frame === null) return;
    this.#pages.delete(page);
    this.cleaned(page);
    page.frame = null;
    page.state = 'invalid';
    this.#memory.release(frame);
    this.evictions++;
    page.keeper.left(page);
    this.changed();
  }

  changed(): void {
    this.#changed.wakeAll();
  }

  /** Returns when one more page may become dirty. */
  *throttle(): Task<void> {
    for (const page of [...this.#dirty]) {
      if (!this.tooDirty) return;
      if (page.idle && page.dirty) yield* page.keeper.clean(page);
    }
  }

  // ---- as a holder of frames ----

  frames(): number {
    return this.#pages.size;
  }

  oldestUseNs(): number | 'never' {
    for (const page of this.#pages)
      if (page.idle && (!page.dirty || page.keeper.canClean)) return page.usedNs;
    return 'never';
  }

  *giveUp(): Task<boolean> {
    let first = true;
    for (const page of this.#pages) {
      if (!page.idle) continue;
      if (!page.dirty) {
        this.drop(page);
        return true;
      }
      if (first && page.keeper.canClean) this.#startCleaning(false);
      first = false;
    }
    return false;
  }

  // ---- frames of our own ----

  /** One of our own frames is free, or somebody has taken it. */
  *#recycle(): Task<boolean> {
    const oldest: Page[] = [];
    for (const page of this.#pages) {
      if (!page.idle || (page.dirty && !page.keeper.canClean)) continue;
      if (!page.dirty && oldest.length === 0) {
        this.drop(page);
        return true;
      }
      oldest.push(page);
      if (oldest.length === batch || !page.dirty) break;
    }
    for (const page of oldest) {
      if (page.frame === null || !page.idle) return true; // gone while we wrote another
      if (!page.dirty) {
        this.drop(page);
        return true;
      }
      if (yield* page.keeper.putAway(page)) return true;
    }
    return false;
  }

  #someoneWorks(): boolean {
    for (const page of this.#pages) if (!page.idle) return true;
    return false;
  }

  // ---- writing back ----

  #startCleaning(byAge: boolean): void {
    if (this.#cleaning) return;
    this.#cleaning = true;
    this.machine.scope.spawn('vm.cleaner', byAge ? this.#cleanOld() : this.#cleanSome());
  }

  /** What has been dirty for its time. */
  *#cleanOld(): Task<void> {
    for (const page of [...this.#dirty]) {
      const sinceNs = page.keeper.keepsDirty === true ? undefined : page.dirtySinceNs;
      if (sinceNs !== undefined && this.nowNs - sinceNs >= this.#writeBackNs && page.idle)
        yield* page.keeper.clean(page);
    }
    this.#cleaned();
  }

  /** Clean pages are short. */
  *#cleanSome(): Task<void> {
    for (const page of [...this.#dirty].slice(0, batch))
      if (page.idle && page.dirty) yield* page.keeper.clean(page);
    this.#cleaned();
  }

  #cleaned(): void {
    this.#cleaning = false;
    this.changed();
    if (this.#writeBackNs <= 0) return;
    for (const { dirtySinceNs, keeper } of this.#dirty) {
      if (keeper.keepsDirty === true) continue;
      const dueNs = (dirtySinceNs ?? this.nowNs) + this.#writeBackNs;
      // What could not be written is tried again in its time.
      this.#timer.set(Math.max(dueNs - this.nowNs, Math.ceil(this.#writeBackNs / 4)));
      return;
    }
  }
}
