/**
 * The cache: all blocks in one order of use, their places in page frames, and the daemon that writes back.
 *
 * A block that needs a place takes, in this order: a free one in a frame that we have; a frame that the policy lets us have
 * at once; a frame that somebody else gives up; the place of our oldest clean block; and if every block is dirty, the
 * place of the oldest, after writing it back.
 */
import { type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import {
  type Backing,
  type BlockCache,
  type FrameHolder,
  isKernelError,
  KernelError,
  type Machine,
  type Memory,
  type MemoryPolicy,
  type Nvram,
  type ObjectOptions,
  type PageFrame,
} from '@backplane/slots';
import { AgeOrder } from './age-order.ts';
import { AsideBlocks } from './aside-blocks.ts';
import { type Block, blockBytes } from './block.ts';
import { CachedFile } from './cached-file.ts';
import { Rooms } from './rooms.ts';
import type {} from './trace-kinds.ts';
import { type Unit, Units } from './units.ts';

export interface CacheTimes {
  readonly scanNs: number;
  readonly cleanersMax: number;
  /** Age at which blocks that have a copy aside are written back; Infinity: not for their age. */
  readonly asideAgeNs: number;
}

export class LruCache implements BlockCache, FrameHolder {
  static {
    tasks(LruCache);
  }

  readonly name = 'files';
  readonly blockBytes: number = blockBytes;
  readonly blockOperationNs: number;
  readonly copyNsPerByte: number;
  readonly units: Units;
  readonly rooms: Rooms = new Rooms();
  readonly aside: AsideBlocks;
  /** Woken when a write-back ends or a place becomes free. */
  readonly changed: WaitQueue = new WaitQueue();
  readHits = 0;
  readMisses = 0;
  writeFetches = 0;
  writes = 0;
  writeBacks = 0;
  writeBackErrors = 0;
  evictions = 0;
  readonly #machine: Machine;
  readonly #memory: Memory;
  readonly #policy: MemoryPolicy;
  readonly #ages = new AgeOrder();
  readonly #files = new Map<string, CachedFile>();
  readonly #times: CacheTimes;
  readonly #scan: Timer;
  /** The daemon's offset in its period, which a real cluster leaves to chance. */
  readonly #phaseNs: number;
  #cleaners = 0;
  #dirtyBlocks = 0;
  readonly #cleaning = new Set<CachedFile>();

  constructor(
    memory: Memory,
    policy: MemoryPolicy,
    nvram: Nvram | undefined,
    machine: Machine,
    times: CacheTimes,
  ) {
    this.#machine = machine;
    this.#memory = memory;
    this.#policy = policy;
    this.#times = times;
    this.units = new Units(memory);
    this.aside = new AsideBlocks(this, nvram);
    this.blockOperationNs = machine.type.costs.blockOperationNs;
    this.copyNsPerByte = machine.type.costs.copyNsPerByte;
    this.#scan = new Timer(machine.scope, 'block-cache.scan', () => this.#tick());
    this.#phaseNs = machine.random('blockCache.scan').below(times.scanNs);
    policy.register(this);
  }

  get nowNs(): number {
    return this.#machine.engine.nowNs;
  }

  get blocks(): number {
    return this.#ages.length;
  }

  get dirtyBlocks(): number {
    return this.#dirtyBlocks;
  }

  object(key: string, backing: Backing, o: ObjectOptions): CachedFile {
    let file = this.#files.get(key);
    if (file === undefined) {
      const { writeDelayNs } = o;
      file = new CachedFile(this, key, backing, this.aside.blocksMax > 0 ? o : { writeDelayNs });
      this.#files.set(key, file);
    } else {
      file.backing = backing;
      file.writeDelayNs = o.writeDelayNs;
      file.released = false;
    }
    return file;
  }

  *flushAll(): Task<void> {
    let failed = false;
    let error: unknown;
    for (const file of [...this.#files.values()]) {
      try {
        yield* file.flush();
      } catch (e) {
        if (!isKernelError(e)) throw e;
        error = failed ? error : e;
        failed = true;
      }
    }
    if (failed) throw error;
  }

  // ---- places

  /** A place as `place` finds it, where nobody has to be waited for. */
  tryPlace(): Unit | undefined {
    const free = this.units.takePlace();
    if (free !== undefined) return free;
    const made = this.#policy.recycles?.(this) === true ? this.#evictOldest() : this.#tryClaimUnit();
    return made ? this.units.takePlace() : undefined;
  }

  /** A place that is free, or in a frame that the policy lets us have at once. */
  #freePlace(): Unit | undefined {
    return this.units.takePlace() ?? (this.#tryClaimUnit() ? this.units.takePlace() : undefined);
  }

  *place(): Task<Unit> {
    for (;;) {
      const free = this.units.takePlace();
      if (free !== undefined) return free;
      if (yield* this.#claimUnit()) continue;
      if (this.#evictOldest()) continue;
      const dirty = this.#ages.oldestIdle();
      if (dirty !== null) yield* dirty.file.writeBack(dirty);
      else if (this.#ages.length > 0) yield* this.changed.wait();
      else throw new KernelError('noSpace', 'no page frame for a block');
    }
  }

  /** The oldest of the clean blocks leaves. False: there is none. */
  #evictOldest(): boolean {
    const clean = this.#dirtyBlocks < this.#ages.length ? this.#ages.oldestClean() : null;
    clean?.file.evict(clean);
    return clean !== null;
  }

  *#claimUnit(): Task<boolean> {
    let frames = this.#withFramesAtOnce(noFrames);
    while (frames.length < this.units.framesPerUnit) {
      const frame = yield* this.#policy.claim(this);
      if (frame === undefined) break;
      frames = this.#withFramesAtOnce(withFrame(frames, frame));
    }
    return this.#makeUnit(frames);
  }

  #tryClaimUnit(): boolean {
    return this.#makeUnit(this.#withFramesAtOnce(noFrames));
  }

  /** These, and the frames that the policy lets us have at once: as many as a unit has, or fewer. */
  #withFramesAtOnce(some: readonly PageFrame[]): readonly PageFrame[] {
    let frames = some;
    while (frames.length < this.units.framesPerUnit) {
      const frame = this.#policy.tryClaim(this);
      if (frame === undefined) break;
      frames = withFrame(frames, frame);
    }
    return frames;
  }

  /** False: these are too few for one, and go back. */
  #makeUnit(frames: readonly PageFrame[]): boolean {
    const enough = frames.length === this.units.framesPerUnit;
    if (enough) this.units.add(frames);
    else for (const f of frames) this.#memory.release(f);
    return enough;
  }

  /** So many places in frames that are free at once, or none at all. */
  tryPlaces(count: number): readonly Unit[] | undefined {
    const places: Unit[] = [];
    while (places.length < count) {
      const place = this.#freePlace();
      if (place === undefined) {
        for (const taken of places) this.units.returnPlace(taken);
        return undefined;
      }
      places.push(place);
    }
    return places;
  }

  frames(): number {
    return this.units.frames;
  }

  oldestUseNs(): number | 'never' {
    return this.#ages.oldest?.usedNs ?? 'never';
  }

  /** All blocks of the unit that holds our oldest block leave, dirty ones after being written back. */
  *giveUp(): Task<boolean> {
    const unit = this.#ages.oldest?.unit;
    if (unit === undefined) return false;
    for (const block of unit.blocks) {
      if (block.dirty) yield* block.file.writeBack(block);
      while (block.writing) yield* this.changed.wait();
      if (block.cached && !block.dirty) block.file.evict(block);
    }
    // While we wrote, a place of it may have been taken again, and another thread may have given it up.
    return unit.isEmpty && this.units.release(unit);
  }

  // ---- what files tell

  hit(block: Block): void {
    this.readHits++;
    this.#use(block);
  }

  entered(block: Block): void {
    block.unit.enter(block);
    block.usedNs = this.nowNs;
    this.#ages.addYoungest(block);
  }

  written(block: Block): void {
    this.writes++;
    this.#use(block);
  }

  evicted(block: Block): void {
    this.evictions++;
    block.cached = false;
    block.unit.leave(block);
    this.#ages.remove(block);
    this.units.returnPlace(block.unit);
    this.changed.wakeAll();
  }

  makeOldest(block: Block): void {
    this.#ages.remove(block);
    block.usedNs = 0;
    this.#ages.addOldest(block);
  }

  forgetIfEmpty(file: CachedFile): void {
    if (file.released && file.cachedBlocks === 0 && this.#files.get(file.key) === file)
      this.#files.delete(file.key);
  }

  /** A block is written back to make room for another one's copy. */
  tellRoom(block: Block): void {
    const { engine, scope } = this.#machine;
    if (!engine.trace.on) return;
    const ageNs = this.nowNs - block.dirtySinceNs;
    engine.trace.emit('cache.asideFull', scope, { object: block.file.key, block: block.number, ageNs });
  }

  #use(block: Block): void {
    block.usedNs = this.nowNs;
    this.#ages.used(block);
  }

  // ---- writing back

  /** A block of this file has become dirty. */
  dirtied(file: CachedFile, block: Block): void {
    this.#dirtyBlocks++;
    if (file.writeDelayNs === 'asap') this.#clean(file);
    else if (file.dueNsOf(block, this.#times.asideAgeNs) < Number.POSITIVE_INFINITY) this.#arm();
  }

  /** A block is no longer dirty: stored, or dropped. */
  cleaned(block: Block): void {
    this.#dirtyBlocks--;
    this.#ages.cleaned(block);
  }

  /** The next scan, at its place in the period. Nothing is scanned while nothing is dirty. */
  #arm(): void {
    if (this.#scan.armed) return;
    const { scanNs } = this.#times;
    const since = (this.nowNs - this.#phaseNs) % scanNs;
    this.#scan.set(scanNs - (since < 0 ? since + scanNs : since));
  }

  #tick(): void {
    let waiting = false;
    for (const file of this.#files.values()) {
      const dueNs = file.dueNs(this.#times.asideAgeNs);
      if (dueNs === Number.POSITIVE_INFINITY) continue;
      if (dueNs <= this.nowNs) this.#clean(file);
      waiting = true;
    }
    if (waiting) this.#arm();
  }

  /** Writes all dirty blocks of a file back on a thread of its own, a few at a time; the next scan takes up the rest. */
  #clean(file: CachedFile): void {
    if (this.#cleaning.has(file) || this.#cleaners >= this.#times.cleanersMax) {
      this.#arm();
      return;
    }
    this.#cleaners++;
    this.#cleaning.add(file);
    this.#machine.scope.spawn('block-cache.cleaner', this.#cleanFile(file));
  }

  *#cleanFile(file: CachedFile): Task<void> {
    try {
      yield* file.flush();
    } catch (e) {
      // What could not be stored stays dirty and is tried again.
      if (!isKernelError(e)) throw e;
      this.writeBackErrors++;
    } finally {
      this.#cleaners--;
      this.#cleaning.delete(file);
      if (file.dirtyBlocks > 0 && file.writeDelayNs !== 'never') this.#arm();
    }
  }
}

const noFrames: readonly PageFrame[] = [];

/** A frame is all that most units have: an array that was grown would have room for sixteen more as long as the unit lives. */
const withFrame = (frames: readonly PageFrame[], frame: PageFrame): readonly PageFrame[] =>
  frames.length === 0 ? [frame] : [...frames, frame];
