/**
 * The members of an array, which of them count, and requests to several at once.
 *
 *   state        event                          next
 *   live         a request to it fails          lost, where the level bears one more; else the error is passed on
 *   lost         rebuild                        rebuilding, from row 0
 *   rebuilding   all rows are there             live
 *   rebuilding   a request to it fails          lost
 *
 * A member that is being rebuilt holds the truth in the rows before `rebuiltRows`, and in no other.
 */
import { type Scope, type Task, tasks } from '@backplane/engine';
import type { Disk } from '@backplane/slots';
import type { Geometry, Slab } from './geometry.ts';
import { together, unlessFailed } from './together.ts';

/** They are bits of a word in the note. */
export const membersMax = 32;

/** Bytes for a place on a member. */
export interface Content {
  readonly member: number;
  readonly sector: number;
  readonly bytes: Uint8Array;
}

export class Members {
  static {
    tasks(Members);
  }

  readonly #scope: Scope;
  readonly #disks: readonly Disk[];
  readonly #geometry: Geometry;
  readonly #changed: (lost: boolean) => void;
  /** Never more of them than the level has check units. */
  readonly lost: Set<number> = new Set();
  /** Rises with every change of `lost`. */
  era = 0;
  rebuilding: number | null = null;
  rebuiltRows = 0;

  /** @param changed called when a member is lost, and when one has come back */
  constructor(scope: Scope, disks: readonly Disk[], geometry: Geometry, changed: (lost: boolean) => void) {
    this.#scope = scope;
    this.#disks = disks;
    this.#geometry = geometry;
    this.#changed = changed;
  }

  get degraded(): boolean {
    return this.lost.size > 0;
  }

  /** Those that are not lost. */
  get trusted(): readonly number[] {
    return this.#disks.flatMap((_, m) => (this.lost.has(m) ? [] : [m]));
  }

  disk(member: number): Disk {
    const disk = this.#disks[member];
    if (disk === undefined) throw new RangeError(`no member ${member}`);
    return disk;
  }

  /** Does it hold the truth in all rows of the slab? */
  holds(member: number, { row, rows }: Slab): boolean {
    return !this.lost.has(member) || (this.rebuilding === member && row + rows <= this.rebuiltRows);
  }

  /** Does it hold it in one of them, so that a write has to reach it? */
  wants(member: number, { row }: Slab): boolean {
    return !this.lost.has(member) || (this.rebuilding === member && row < this.rebuiltRows);
  }

  /** A request to it has failed. False: the level does not bear its loss. */
  fail(member: number): boolean {
    if (this.lost.has(member)) {
      if (this.rebuilding === member) this.rebuilding = null;
      return true;
    }
    if (this.lost.size >= this.#geometry.checkUnits) return false;
    this.lost.add(member);
    this.era++;
    this.#changed(true);
    return true;
  }

  /** All of its rows are there. */
  restore(member: number): void {
    this.rebuilding = null;
    this.lost.delete(member);
    this.era++;
    this.#changed(false);
  }

  /** Sectors of several members; null for one that failed. */
  *read(
    places: readonly { readonly member: number; readonly sector: number; readonly count: number }[],
  ): Task<readonly (Uint8Array | null)[]> {
    return yield* together(
      this.#scope,
      places.map(({ member, sector, count }) => unlessFailed(this.disk(member).read(sector, count))),
    );
  }

  /** The slab of each member that holds it, by member; undefined: one of them failed, and the level bears it: look again. */
  *readSlab(slab: Slab): Task<ReadonlyMap<number, Uint8Array> | 'again' | 'failed'> {
    const sector = this.#geometry.slabSector(slab);
    const count = this.#geometry.slabSectors(slab);
    const members = this.#disks.flatMap((_, m) => (this.holds(m, slab) ? [m] : []));
    const read = yield* this.read(members.map((member) => ({ member, sector, count })));
    const found = new Map<number, Uint8Array>();
    let borne = true;
    for (const [i, member] of members.entries()) {
      const bytes = read[i] ?? null;
      if (bytes !== null) found.set(member, bytes);
      else if (!this.fail(member)) borne = false;
    }
    if (found.size === members.length) return found;
    return borne ? 'again' : 'failed';
  }

  /** False: a member failed whose loss the level does not bear. */
  *write(contents: readonly Content[]): Task<boolean> {
    const written = yield* together(
      this.#scope,
      contents.map(({ member, sector, bytes }) => stored(this.disk(member), sector, bytes)),
    );
    let borne = true;
    for (const [i, { member }] of contents.entries())
      if (written[i] === null && !this.fail(member)) borne = false;
    return borne;
  }

  *barrier(): Task<void> {
    yield* together(
      this.#scope,
      this.#disks.map((disk) => disk.barrier()),
    );
  }
}

function* stored(disk: Disk, sector: number, bytes: Uint8Array): Task<true | null> {
  return yield* unlessFailed(
    (function* (): Task<true> {
      yield* disk.write(sector, bytes);
      return true;
    })(),
  );
}
