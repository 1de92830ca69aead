/**
 * One life of an array's controller, from power on to power off: what is under way, which members count, who has which rows.
 *
 *   event                 action
 *   first request         read the notes; put the journal where it belongs, or begin to see to the rows that were noted
 *   read                  from the members that have it; where one is lost, from what is left of the rows, under their lock
 *   write                 note the region, or fill the journal; then all members of its rows at once, under their lock
 *   barrier               when all writes made before have ended, a barrier of each member
 *   a member fails        it is lost: the others note it before anybody hears of the request; the request goes on
 *   it is replaced        its rows are written again in the background; then it counts again
 *
 * A write belongs to the controller from the call on: it goes to its end even when its caller is cancelled.
 */
import { type Scope, type Task, type Thread, Timer, tasks } from '@backplane/engine';
import type { Disk } from '@backplane/slots';
import { compose, dataOf, type WriteCounts } from './compose.ts';
import type { Geometry, Slab } from './geometry.ts';
import { Journal, journalRows } from './journal.ts';
import { type Content, Members } from './members.ts';
import { bitsOf, Note, newestNote } from './note.ts';
import { Order } from './order.ts';
import { Repair, type RepairCounts } from './repair.ts';
import { RowLocks } from './row-locks.ts';

export interface ControllerCounts extends WriteCounts, RepairCounts {
  /** Reads of which a part had to be made out of other members. */
  degradedReads: number;
  /** Members that were lost. */
  losses: number;
  journalWrites: number;
}

export interface ControllerOptions {
  readonly strikeNs: number;
  /** How long after its loss a member has been replaced; 0: somebody says so. */
  readonly replaceNs: number;
  readonly rebuildShare: number;
}

export class Controller {
  static {
    tasks(Controller);
  }

  readonly members: Members;
  /** What is going into rows on a member's behalf that is lost: the truth about them, whatever they hold meanwhile. */
  pending: readonly Content[] = [];
  readonly #scope: Scope;
  readonly #geometry: Geometry;
  readonly #options: ControllerOptions;
  readonly #counts: ControllerCounts;
  readonly #note: Note;
  readonly #journal: Journal;
  readonly #locks = new RowLocks();
  readonly #order = new Order();
  readonly #repair: Repair;
  readonly #replacement: Timer;
  #attaching: Thread<void> | null = null;
  /** A level without checks has nothing to find out. */
  #attached: boolean;

  constructor(
    scope: Scope,
    disks: readonly Disk[],
    geometry: Geometry,
    o: ControllerOptions,
    counts: ControllerCounts,
  ) {
    this.#scope = scope;
    this.#geometry = geometry;
    this.#options = o;
    this.#counts = counts;
    this.#attached = geometry.checkUnits === 0;
    this.members = new Members(scope, disks, geometry, (lost) => this.#changed(lost));
    this.#note = new Note(scope, this.members, geometry, o.strikeNs);
    this.#journal = new Journal(geometry);
    this.#repair = new Repair(
      this.members,
      this.#note,
      this.#locks,
      geometry,
      { share: o.rebuildShare, now: () => scope.engine.nowNs },
      counts,
    );
    this.#replacement = new Timer(scope, 'replacement', () => {
      for (const member of this.members.lost) scope.spawn('rebuild', this.#replaced(member));
    });
  }

  get attached(): boolean {
    return this.#attached;
  }

  /** The content of sectors; null: it cannot be had. */
  *read(sector: number, count: number): Task<Uint8Array | null> {
    yield* this.#attach();
    const g = this.#geometry;
    const slab = g.slabOf(sector, count);
    const spans = this.#spans(sector, count);
    if ([...spans.keys()].every((m) => this.members.holds(m, slab))) {
      const asked = [...spans].map(([member, { first, end }]) => ({
        member,
        sector: first,
        count: end - first,
      }));
      const read = yield* this.members.read(asked);
      const found = new Map<number, Uint8Array>();
      for (const [i, { member }] of asked.entries()) {
        const bytes = read[i] ?? null;
        if (bytes !== null) found.set(member, bytes);
        else if (!this.members.fail(member)) return null;
      }
      if (found.size === asked.length)
        return this.#assemble(sector, count, (row, unit, from, to) => {
          const member = g.dataMember(row, unit);
          const at = row * g.unitSectors - (spans.get(member)?.first ?? 0);
          return found.get(member)?.subarray((at + from) * sectorBytes, (at + to) * sectorBytes);
        });
    }
    return yield* this.#readFromTheRest(slab, sector, count);
  }

  /** False: it has failed. */
  *write(sector: number, data: Uint8Array): Task<boolean> {
    const epoch = this.#order.enter();
    const threads = this.#slabs(sector, data.length / sectorBytes).map(({ first, end }) =>
      this.#scope.spawn(
        'array write',
        this.#writeRows(
          epoch,
          first,
          data.subarray((first - sector) * sectorBytes, (end - sector) * sectorBytes),
        ),
      ),
    );
    const whole = this.#scope.spawn('array write', this.#ended(epoch, threads));
    return yield* whole.join();
  }

  *barrier(): Task<void> {
    yield* this.#order.barrier();
    yield* this.members.barrier();
  }

  /** Writes the rows of a member again that has been replaced. Returns whether it counts from then on. */
  *rebuild(member: number): Task<boolean> {
    yield* this.#attach();
    const rebuilding = this.#scope.spawn('rebuild', this.#replaced(member));
    return yield* rebuilding.join();
  }

  *#replaced(member: number): Task<boolean> {
    if (!this.members.lost.has(member)) return true;
    const whole = yield* this.#repair.rebuild(member);
    if (!whole) this.#awaitReplacement();
    return whole;
  }

  // ---- power on ----

  *#attach(): Task<void> {
    if (this.#attached) return;
    this.#attaching ??= this.#scope.spawn('attach', this.#findOut());
    yield* this.#attaching.join();
  }

  *#findOut(): Task<void> {
    const { members } = this;
    const all = members.trusted;
    const read = yield* members.read(
      all.map((member) => ({ member, sector: this.#journal.sector - 1, count: 1 })),
    );
    const note = newestNote(read);
    if (note !== undefined) {
      for (const member of bitsOf(note.lost)) members.lost.add(member);
      members.era = note.era;
      this.#note.restore(note);
    }
    // Before another member is lost: the journal would be of an earlier era then.
    if (members.degraded) yield* this.#replay();
    for (const [i, member] of all.entries()) if (read[i] === null) members.fail(member);
    if (members.degraded) this.#awaitReplacement();
    else if (this.#note.stale().length > 0) this.#scope.spawn('resynchronise', this.#repair.resynchronise());
    yield* this.#note.settle();
    this.#attached = true;
  }

  *#replay(): Task<void> {
    const { members } = this;
    const { sector } = this.#journal;
    const all = members.trusted;
    const heads = yield* members.read(all.map((member) => ({ member, sector, count: 1 })));
    const parts = this.#journal.parts(
      new Map(all.flatMap((member, i) => (heads[i] ? [[member, heads[i]] as const] : []))),
      members.era,
    );
    const contents = yield* members.read(
      parts.map(({ member, sectors }) => ({ member, sector: sector + 1, count: sectors })),
    );
    this.pending = this.#journal.whole(parts, contents);
    yield* members.write(this.pending);
    this.pending = [];
  }

  // ---- reading ----

  /** On each member that has some of the sectors, from the first of them to the last. What lies between are check units. */
  #spans(sector: number, count: number): ReadonlyMap<number, { first: number; end: number }> {
    const g = this.#geometry;
    const spans = new Map<number, { first: number; end: number }>();
    this.#eachUnit(sector, count, (row, unit, from, to) => {
      const member = g.dataMember(row, unit);
      const at = row * g.unitSectors;
      const span = spans.get(member);
      if (span === undefined) spans.set(member, { first: at + from, end: at + to });
      else span.end = at + to;
    });
    return spans;
  }

  *#readFromTheRest(slab: Slab, sector: number, count: number): Task<Uint8Array | null> {
    const g = this.#geometry;
    this.#counts.degradedReads++;
    const lock = yield* this.#locks.acquire(slab.row, slab.rows);
    try {
      for (;;) {
        const left = yield* this.members.readSlab(slab);
        if (left === 'failed') return null;
        if (left === 'again') continue;
        const partBytes = (slab.rows > 1 ? g.unitSectors : slab.to - slab.from) * sectorBytes;
        const rows = Array.from({ length: slab.rows }, (_, i) =>
          dataOf(g, slab.row + i, left, i * partBytes, partBytes),
        );
        return this.#assemble(sector, count, (row, unit, from, to) =>
          rows[row - slab.row]?.[unit]?.subarray(
            (from - slab.from) * sectorBytes,
            (to - slab.from) * sectorBytes,
          ),
        );
      }
    } finally {
      this.#locks.release(lock);
    }
  }

  #assemble(
    sector: number,
    count: number,
    part: (row: number, unit: number, from: number, to: number) => Uint8Array | undefined,
  ): Uint8Array {
    const bytes = new Uint8Array(count * sectorBytes);
    this.#eachUnit(sector, count, (row, unit, from, to) => {
      const at = this.#geometry.sectorOf(row, unit) + from - sector;
      bytes.set(part(row, unit, from, to) ?? [], at * sectorBytes);
    });
    return bytes;
  }

  /** Calls for each data unit with sectors in the range, in order: which sectors of the unit. */
  #eachUnit(
    sector: number,
    count: number,
    f: (row: number, unit: number, from: number, to: number) => void,
  ): void {
    const g = this.#geometry;
    for (let s = sector; s < sector + count; ) {
      const from = s % g.unitSectors;
      const to = Math.min(g.unitSectors, from + sector + count - s);
      f(g.rowOf(s), Math.floor((s % g.rowSectors) / g.unitSectors), from, to);
      s += to - from;
    }
  }

  // ---- writing ----

  /** A range cut where whole rows begin and end. */
  #slabs(sector: number, count: number): readonly { readonly first: number; readonly end: number }[] {
    const { rowSectors } = this.#geometry;
    const end = sector + count;
    const firstWhole = Math.min(end, Math.ceil(sector / rowSectors) * rowSectors);
    const lastWhole = Math.max(firstWhole, Math.floor(end / rowSectors) * rowSectors);
    return [
      { first: sector, end: firstWhole },
      { first: firstWhole, end: lastWhole },
      { first: lastWhole, end },
    ].filter((s) => s.first < s.end);
  }

  *#ended(epoch: number, threads: readonly Thread<boolean>[]): Task<boolean> {
    let stored = true;
    for (const t of threads) if (!(yield* t.join())) stored = false;
    // Nobody hears of it before the members know which of them still count.
    yield* this.#note.settle();
    this.#order.leave(epoch);
    return stored;
  }

  *#writeRows(epoch: number, sector: number, data: Uint8Array): Task<boolean> {
    yield* this.#attach();
    yield* this.#order.turn(epoch);
    const g = this.#geometry;
    const slab = g.slabOf(sector, data.length / sectorBytes);
    if (g.checkUnits === 0) return yield* this.members.write(yield* this.#composed(slab, sector, data));
    const chunkBytes = journalRows * g.rowSectors * sectorBytes;
    let stored = true;
    for (let at = 0; at < data.length && stored; ) {
      // Rows go into a journal a few at a time.
      const lengthBytes = this.members.degraded ? Math.min(chunkBytes, data.length - at) : data.length - at;
      const done = yield* this.#writeLocked(sector + at / sectorBytes, data.subarray(at, at + lengthBytes));
      if (done === 'failed') stored = false;
      else if (done === 'stored') at += lengthBytes;
    }
    return stored;
  }

  /** Only for a level without checks: nothing is read. */
  *#composed(slab: Slab, sector: number, data: Uint8Array): Task<readonly Content[]> {
    const contents = yield* compose(this.#geometry, this.members, slab, sector, data, this.#counts);
    return typeof contents === 'string' ? [] : contents;
  }

  *#writeLocked(sector: number, data: Uint8Array): Task<'stored' | 'failed' | 'again'> {
    const g = this.#geometry;
    const { members } = this;
    const slab = g.slabOf(sector, data.length / sectorBytes);
    const lock = yield* this.#locks.acquire(slab.row, slab.rows);
    try {
      for (;;) {
        if (members.degraded && slab.rows > journalRows) return 'again';
        const contents = yield* compose(g, members, slab, sector, data, this.#counts);
        if (contents === 'failed') return 'failed';
        if (contents === 'again') continue;
        const { era } = members;
        yield* this.#note.begin(slab);
        try {
          if (members.era !== era) continue;
          const stored =
            members.degraded && members.trusted.length > 1
              ? yield* this.#journalled(contents, era)
              : yield* this.#put(contents);
          if (stored !== 'again') return stored;
        } finally {
          this.#note.end(slab);
        }
      }
    } finally {
      this.#locks.release(lock);
    }
  }

  *#put(contents: readonly Content[]): Task<'stored' | 'failed'> {
    return (yield* this.members.write(contents)) ? 'stored' : 'failed';
  }

  *#journalled(contents: readonly Content[], era: number): Task<'stored' | 'failed' | 'again'> {
    const { members } = this;
    const { lock } = this.#journal;
    yield* lock.acquire();
    try {
      if (members.era !== era) return 'again';
      const trusted = contents.filter((c) => !members.lost.has(c.member));
      this.#counts.journalWrites++;
      if ((yield* this.#put(this.#journal.encode(era, trusted))) === 'failed') return 'failed';
      if (members.era !== era) return 'again';
      this.pending = trusted;
      return yield* this.#put(contents);
    } finally {
      this.pending = [];
      lock.release();
    }
  }

  // ---- losses ----

  #changed(lost: boolean): void {
    this.#note.change();
    if (!lost) return;
    this.#counts.losses++;
    this.#awaitReplacement();
  }

  #awaitReplacement(): void {
    if (this.#options.replaceNs > 0 && !this.#replacement.armed)
      this.#replacement.set(this.#options.replaceNs);
  }
}

const sectorBytes = 512;
