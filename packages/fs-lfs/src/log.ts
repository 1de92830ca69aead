/**
 * The log: takes blocks one by one, gives each its address at once, and brings them to the disk in partial writes. Until
 * a block is there it is read from here.
 *
 * Adding never waits, so that what belongs together can be added without anybody coming in between; who is going to add
 * much sees to it first that there is room (space.ts). Partial writes go to the disk one after another by a thread of
 * the log's own. One that fails stays at the head of the line, and is tried again when somebody next waits for it: so
 * the chain on the disk never has a gap. One that fails again and again is given up with everything after it: the blocks
 * are added anew in another segment, and a checkpoint says that the log goes on there.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { type Disk, isKernelError, KernelError, type Machine } from '@backplane/slots';
import { inflateSync } from 'fflate';
import { type Geometry, sectorOfSegment, segmentOfSector } from './geometry.ts';
import { deflatedForm, noSegment, sectorBytes } from './layouts.ts';
import { type LoggedBlock, type Owner, PartialWrite } from './partial-write.ts';
import { formOf, nowhere, type Place, sectorOf, sectorsOf } from './place.ts';
import type { SegmentUsage } from './usage.ts';

/** Where the log goes on. */
export interface LogPosition {
  readonly segment: number;
  /** Sectors from the segment's beginning. */
  readonly offset: number;
  readonly next: number;
  /** Of the next partial write. */
  readonly number: number;
  /** Checksum of the last summary. */
  readonly previous: number;
}

export interface LogCounts {
  partialWrites: number;
  segmentsFilled: number;
  bytes: number;
  /** Tries that the disk refused. */
  failures: number;
}

interface Waiting {
  readonly write: PartialWrite;
  readonly bytes: Uint8Array;
}

/** Failures of one partial write after which its place is taken for bad. */
const triesMax = 3;
/** Writes on their way before who adds more has to wait. */
const waitingMax = 2;

export class Log {
  static {
    tasks(Log);
  }

  readonly counts: LogCounts = { partialWrites: 0, segmentsFilled: 0, bytes: 0, failures: 0 };
  readonly #disk: Disk;
  readonly #machine: Machine;
  readonly #geometry: Geometry;
  readonly #usage: SegmentUsage;
  readonly #mounts: number;
  /** Blocks that the disk does not have yet, by address. */
  readonly #staged = new Map<number, Uint8Array>();
  readonly #waiting: Waiting[] = [];
  readonly #written = new WaitQueue();
  #writing = false;
  /** Why the head of the line is still there, and how often that was so. */
  #failure: KernelError | null = null;
  #tries = 0;
  #segment: number;
  #offset: number;
  #next: number;
  /** The next segment as the last summary or checkpoint has it: recovery goes by that. */
  #named: number;
  #number: number;
  #previous: number;
  #open: PartialWrite;
  /** Something has been added since the last group ended. */
  #inGroup = false;
  /** The next partial write begins a group. */
  #startsGroup = true;
  /** Called when the log goes on in another segment. */
  onSegment: (segment: number) => void = () => {};

  constructor(
    parts: {
      readonly disk: Disk;
      readonly machine: Machine;
      readonly geometry: Geometry;
      readonly usage: SegmentUsage;
    },
    position: LogPosition,
    mounts: number,
  ) {
    this.#disk = parts.disk;
    this.#machine = parts.machine;
    this.#geometry = parts.geometry;
    this.#usage = parts.usage;
    this.#mounts = mounts;
    this.#segment = position.segment;
    this.#offset = position.offset;
    this.#next = position.next;
    this.#named = position.next;
    this.#number = position.number;
    this.#previous = position.previous;
    this.#open = this.#begin();
  }

  /** Where the next partial write goes; nothing may be open. */
  get position(): LogPosition {
    return {
      segment: this.#segment,
      offset: this.#offset,
      next: this.#next,
      number: this.#number,
      previous: this.#previous,
    };
  }

  /** Bytes that the segment which the log is in still takes. */
  get roomBytes(): number {
    return (this.#geometry.segmentSectors - this.#offset - this.#open.sectors) * sectorBytes;
  }

  /** Are so many partial writes on their way that who adds more should wait? */
  get isBusy(): boolean {
    return this.#waiting.length > waitingMax;
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  // ---- adding ----

  /**
   * @param bytes at most `sectors` of them; not to be changed until they are written
   * @throws KernelError `noSpace` when no clean segment is left
   */
  add(
    owner: Owner,
    block: number,
    level: number,
    bytes: Uint8Array,
    o: { sectors?: number; form?: number } = {},
  ): Place {
    const sectors = o.sectors ?? Math.max(1, Math.ceil(bytes.length / sectorBytes));
    for (;;) {
      const place = this.#open.add(owner, block, level, bytes, sectors, o.form ?? 0);
      if (place !== nowhere) {
        this.#staged.set(sectorOf(place), bytes);
        this.#usage.wrote(this.#segment, this.#machine.engine.nowNs);
        this.#inGroup = true;
        return place;
      }
      this.#advance();
    }
  }

  /** Goes on in the next segment unless this one has room for so many sectors of blocks. */
  ensure(sectors: number, blocks: number): void {
    const summarySectors = Math.ceil((blocks * 32) / sectorBytes) + 1;
    if (this.#geometry.segmentSectors - this.#offset - this.#open.sectors >= sectors + summarySectors) return;
    this.#advance();
  }

  /** What was added since the last group ended is valid as soon as it is all on the disk. */
  endGroup(): void {
    if (!this.#inGroup) return;
    if (this.#open.isEmpty) {
      // The partial write before has gone without the mark: an empty one bears it.
      if (this.#geometry.segmentSectors - this.#offset < 1) this.#advance();
    }
    this.#close(true);
    this.#inGroup = false;
  }

  #begin(): PartialWrite {
    // A sector stays free to name the next segment, if it has not been named yet.
    const kept = this.#named === noSegment ? 1 : 0;
    return new PartialWrite(
      sectorOfSegment(this.#geometry, this.#segment) + this.#offset,
      this.#offset,
      this.#geometry.segmentSectors - this.#offset - kept,
    );
  }

  #close(groupEnd: boolean): void {
    const write = this.#open;
    const { bytes, checksum } = write.close({
      previous: this.#previous,
      number: this.#number,
      segment: this.#segment,
      next: this.#next,
      groupStart: this.#startsGroup,
      groupEnd,
      mounts: this.#mounts,
      timeNs: this.#machine.engine.nowNs,
    });
    this.#startsGroup = groupEnd;
    this.#previous = checksum;
    this.#named = this.#next;
    this.#number++;
    this.#offset += write.sectors;
    this.counts.partialWrites++;
    this.counts.bytes += bytes.length;
    this.#waiting.push({ write, bytes });
    this.#open = this.#begin();
    this.#wake();
  }

  /** Leaves this segment for the next. */
  #advance(): void {
    this.findNext();
    if (this.#next === noSegment) throw new KernelError('noSpace', 'no clean segment');
    if (!this.#open.isEmpty || this.#named !== this.#next) this.#close(false);
    this.#usage.leave(this.#segment);
    this.counts.segmentsFilled++;
    this.#segment = this.#next;
    this.#offset = 0;
    this.#next = this.#usage.hold(this.#segment);
    this.#named = noSegment;
    this.#open = this.#begin();
    this.onSegment(this.#segment);
  }

  /** When a segment has become clean: the log may not have known where to go on. */
  findNext(): void {
    if (this.#next === noSegment) this.#next = this.#usage.hold(this.#segment);
  }

  // ---- reading ----

  /** Content of a block, in whole sectors or as it was added. @throws KernelError `ioError` */
  *read(place: Place): Task<Uint8Array> {
    const staged = this.#staged.get(sectorOf(place));
    const bytes = staged ?? (yield* this.#disk.read(sectorOf(place), sectorsOf(place)));
    if (formOf(place) !== deflatedForm) return bytes;
    return inflated(bytes);
  }

  /** The content of a run of sectors, part of which may not be on the disk yet. */
  *readRun(sector: number, sectors: number): Task<Uint8Array> {
    const bytes = yield* this.#disk.read(sector, sectors);
    for (const { write, bytes: pending } of this.#waiting) {
      const from = write.sector - sector;
      if (from < 0 || from + pending.length / sectorBytes > sectors) continue;
      const all = bytes.slice();
      all.set(pending, from * sectorBytes);
      return all;
    }
    return bytes;
  }

  // ---- to the disk ----

  /** Waits until only a few partial writes are on their way. @throws KernelError `ioError` */
  *throttle(): Task<void> {
    yield* this.#untilFewer(waitingMax + 1);
  }

  /** Waits until all that was closed before is on the disk. @throws KernelError `ioError` */
  *landed(): Task<void> {
    yield* this.#untilFewer(1);
  }

  *#untilFewer(limit: number): Task<void> {
    if (this.#waiting.length >= limit && this.#failure !== null) {
      this.#failure = null;
      this.#wake();
    }
    while (this.#waiting.length >= limit) {
      if (this.#failure !== null) throw this.#failure;
      yield* this.#written.wait();
    }
  }

  /** Is the place of the next write taken for bad? */
  get isStuck(): boolean {
    return this.#tries >= triesMax && !this.#writing;
  }

  /**
   * Gives up all that is not on the disk and goes on in another segment. The blocks can be read where they are until
   * `forget`; whoever calls this adds again what of them is still wanted, and makes a checkpoint.
   *
   * @throws KernelError `noSpace` when there is no other segment; nothing has changed then
   */
  abandon(): readonly LoggedBlock[] {
    const segment = this.#usage.hold(this.#segment);
    if (segment === noSegment) throw new KernelError('noSpace', 'no clean segment');
    const given = [...this.#waiting.map((w) => w.write), this.#open];
    const bad = segmentOfSector(this.#geometry, given[0]?.sector ?? this.#open.sector);
    for (const s of new Set([bad, this.#segment])) this.#usage.leave(s);
    this.#usage.fail(bad);
    this.#waiting.length = 0;
    this.#failure = null;
    this.#tries = 0;
    this.#segment = segment;
    this.#offset = 0;
    this.#named = noSegment;
    this.#open = this.#begin();
    this.onSegment(segment);
    return given.flatMap((w) => w.blocks);
  }

  /** Blocks that were given up are not read any more. */
  forget(blocks: readonly LoggedBlock[]): void {
    for (const b of blocks) this.#staged.delete(sectorOf(b.place));
  }

  #wake(): void {
    if (this.#writing || this.#failure !== null) return;
    this.#writing = true;
    this.#machine.scope.spawn('lfs.log', this.#write());
  }

  *#write(): Task<void> {
    try {
      for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
        yield* this.#disk.write(head.write.sector, head.bytes);
        this.#waiting.shift();
        this.#tries = 0;
        for (const b of head.write.blocks) this.#staged.delete(sectorOf(b.place));
        this.#written.wakeAll();
      }
    } catch (e) {
      if (!isKernelError(e)) throw e;
      this.#failure = e;
      this.#tries++;
      this.counts.failures++;
    } finally {
      this.#writing = false;
      this.#written.wakeAll();
    }
  }
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return inflateSync(bytes);
  } catch {
    throw new KernelError('ioError', 'damaged: a deflated block');
  }
}
