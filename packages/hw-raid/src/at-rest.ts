/**
 * The content of an array as its members have it now: for images, checkers and crash tests; no virtual time passes. Before
 * the controller of this life has found out which members count, their own notes say so, as they will say it to the
 * controller; what a journal holds is in place already.
 */
import type { Disk, DiskExtent } from '@backplane/slots';
import { dataOf } from './compose.ts';
import type { Controller } from './controller.ts';
import type { Geometry, Slab } from './geometry.ts';
import { Journal } from './journal.ts';
import type { Content } from './members.ts';
import { bitsOf, newestNote } from './note.ts';
import { xorOf } from './xor.ts';

const sectorBytes = 512;

interface Found {
  holds(member: number, slab: Slab): boolean;
  readonly pending: readonly Content[];
}

export class AtRest {
  readonly #disks: readonly Disk[];
  readonly #geometry: Geometry;
  readonly #controller: Controller;
  /** What the notes and the journal say, as long as nobody has touched them in this life. */
  #found: Found | null = null;

  constructor(disks: readonly Disk[], geometry: Geometry, controller: Controller) {
    this.#disks = disks;
    this.#geometry = geometry;
    this.#controller = controller;
  }

  read(sector: number, count: number): Uint8Array {
    const g = this.#geometry;
    const slab = g.slabOf(sector, count);
    const bytes = new Uint8Array(count * sectorBytes);
    for (let row = slab.row; row < slab.row + slab.rows; row++) {
      const part = { ...slab, row, rows: 1 };
      for (const [unit, content] of this.#dataOf(part).entries()) {
        const at = (g.sectorOf(row, unit) + part.from - sector) * sectorBytes;
        const first = Math.max(0, -at);
        if (at < bytes.length && first < content.length)
          bytes.set(content.subarray(first, bytes.length - at), at + first);
      }
    }
    return bytes;
  }

  extents(): readonly DiskExtent[] {
    const g = this.#geometry;
    const rows = new Set<number>();
    const touch = (sector: number, count: number): void => {
      const end = Math.min(g.rows, Math.ceil((sector + count) / g.unitSectors));
      for (let row = Math.floor(sector / g.unitSectors); row < end; row++) rows.add(row);
    };
    for (const disk of this.#disks)
      for (const { sector, data } of disk.extents()) touch(sector, data.length / sectorBytes);
    for (const { sector, bytes } of this.#state().pending) touch(sector, bytes.length / sectorBytes);
    return [...rows]
      .sort((a, b) => a - b)
      .map((row) => ({ sector: row * g.rowSectors, data: this.read(row * g.rowSectors, g.rowSectors) }))
      .filter(({ data }) => data.some((b) => b !== 0));
  }

  load(sector: number, data: Uint8Array): void {
    const g = this.#geometry;
    const { row: first, rows } = g.slabOf(sector, data.length / sectorBytes);
    const unitBytes = g.unitSectors * sectorBytes;
    for (let row = first; row < first + rows; row++) {
      const start = row * g.rowSectors;
      const content = this.read(start, g.rowSectors);
      const skip = Math.max(0, start - sector) * sectorBytes;
      const at = Math.max(0, sector - start) * sectorBytes;
      content.set(data.subarray(skip, skip + content.length - at), at);
      const units = Array.from({ length: g.dataUnits }, (_, unit) =>
        content.subarray(unit * unitBytes, (unit + 1) * unitBytes),
      );
      for (const [unit, bytes] of units.entries())
        this.#disks[g.dataMember(row, unit)]?.load(row * g.unitSectors, bytes);
      for (let c = 0; c < g.checkUnits; c++)
        this.#disks[g.checkMember(row, c)]?.load(row * g.unitSectors, xorOf(unitBytes, units));
    }
  }

  /** The data units of one row, as far as the slab reaches. */
  #dataOf(slab: Slab): readonly Uint8Array[] {
    const g = this.#geometry;
    const state = this.#state();
    const sector = g.slabSector(slab);
    const count = g.slabSectors(slab);
    const held = new Map<number, Uint8Array>();
    for (const [member, disk] of this.#disks.entries())
      if (state.holds(member, slab)) held.set(member, disk.inspect(sector, count));
    for (const { member, sector: at, bytes } of state.pending) {
      const first = Math.max(sector, at);
      const end = Math.min(sector + count, at + bytes.length / sectorBytes);
      if (first < end)
        held
          .get(member)
          ?.set(
            bytes.subarray((first - at) * sectorBytes, (end - at) * sectorBytes),
            (first - sector) * sectorBytes,
          );
    }
    return dataOf(g, slab.row, held, 0, count * sectorBytes);
  }

  #state(): Found {
    const { attached, members, pending } = this.#controller;
    if (attached) return { holds: (member, slab) => members.holds(member, slab), pending };
    this.#found ??= this.#find();
    return this.#found;
  }

  #find(): Found {
    const journal = new Journal(this.#geometry);
    const note = newestNote(this.#disks.map((d) => d.inspect(journal.sector - 1, 1)));
    const lost = new Set(bitsOf(note?.lost ?? 0));
    const holds = (member: number): boolean => !lost.has(member);
    if (lost.size === 0) return { holds, pending: [] };
    const heads = this.#disks.map((d) => d.inspect(journal.sector, 1));
    const parts = journal.parts(new Map([...heads.entries()].filter(([m]) => holds(m))), note?.era ?? 0);
    const contents = parts.map((p) => this.#disks[p.member]?.inspect(journal.sector + 1, p.sectors) ?? null);
    return { holds, pending: journal.whole(parts, contents) };
  }
}
