/**
 * The non-volatile memory: sectors that the disk does not have yet, by number. It survives whatever happens to the machine.
 * A sector that is written again takes no more room, and is as old as its first write since it came in.
 */
export interface HeldSector {
  readonly bytes: Uint8Array;
  readonly sinceNs: number;
}

/** Sectors that follow one another. */
export interface Run {
  readonly sector: number;
  readonly held: readonly HeldSector[];
}

export class SectorMemory {
  readonly capacity: number;
  readonly #sectorBytes: number;
  /** The oldest first. Entries are replaced, never changed: whoever has one can see whether it is still the one. */
  readonly #held = new Map<number, HeldSector>();

  /** @param capacity in sectors */
  constructor(capacity: number, sectorBytes: number) {
    this.capacity = capacity;
    this.#sectorBytes = sectorBytes;
  }

  get used(): number {
    return this.#held.size;
  }

  /** The oldest that is none of those. */
  oldest(but: ReadonlySet<number>): HeldSector | undefined {
    for (const [sector, held] of this.#held) if (!but.has(sector)) return held;
    return undefined;
  }

  get(sector: number): HeldSector | undefined {
    return this.#held.get(sector);
  }

  /** Of a range, those that are here. */
  range(sector: number, count: number): readonly (readonly [number, HeldSector])[] {
    const found: (readonly [number, HeldSector])[] = [];
    for (let s = sector; s < sector + count; s++) {
      const held = this.#held.get(s);
      if (held !== undefined) found.push([s, held]);
    }
    return found;
  }

  /** Copies sectors in. Returns how many of them were here already. There has to be room for the others. */
  put(sector: number, data: Uint8Array, nowNs: number): number {
    const copy = data.slice();
    const before = this.#held.size;
    const count = data.length / this.#sectorBytes;
    for (let i = 0; i < count; i++)
      this.#held.set(sector + i, {
        bytes: copy.subarray(i * this.#sectorBytes, (i + 1) * this.#sectorBytes),
        sinceNs: this.#held.get(sector + i)?.sinceNs ?? nowNs,
      });
    return count - (this.#held.size - before);
  }

  /** Takes a sector out, unless it has been written again. */
  drop(sector: number, held: HeldSector): void {
    if (this.#held.get(sector) === held) this.#held.delete(sector);
  }

  /** The disk has it now: it goes, or begins anew if it has been written again on the way. */
  moved(sector: number, held: HeldSector, nowNs: number): void {
    const now = this.#held.get(sector);
    this.#held.delete(sector);
    if (now !== undefined && now !== held) this.#held.set(sector, { bytes: now.bytes, sinceNs: nowNs });
  }

  /** All sectors by number. */
  sorted(): readonly number[] {
    return [...this.#held.keys()].sort((a, b) => a - b);
  }

  /** From a sector on as far as they follow one another, and are none of those. */
  runAt(sector: number, sectorsMax: number, but: (sector: number) => boolean): Run {
    const held: HeldSector[] = [];
    for (let s = sector; held.length < sectorsMax && !but(s); s++) {
      const found = this.#held.get(s);
      if (found === undefined) break;
      held.push(found);
    }
    return { sector, held };
  }

  /** Lays what is here over what the disk has. */
  cover(sector: number, bytes: Uint8Array): void {
    for (const [s, held] of this.range(sector, bytes.length / this.#sectorBytes))
      bytes.set(held.bytes, (s - sector) * this.#sectorBytes);
  }
}
