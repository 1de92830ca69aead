/**
 * What a write puts on the members of its rows: its own sectors, and the check units that go with them.
 *
 *   what is written         what is read first                               check unit
 *   whole rows              nothing                                          sum of the data
 *   part, little of a row   the sectors to be replaced, and their checks     old check + old data + new data
 *   part, most of a row     the sectors that stay                            sum of the data
 *   part, its old content
 *     cannot be read        all that is left of the row                      sum of the data
 *
 * Sums are exclusive or. Of the second and the third the one that reads fewer sectors is taken. Where no check unit of the
 * row is left, nothing is read and nothing summed. Runs under the lock of the rows.
 */
import type { Task } from '@backplane/engine';
import type { Geometry, Slab } from './geometry.ts';
import type { Content, Members } from './members.ts';
import { xorInto, xorOf } from './xor.ts';

export interface WriteCounts {
  /** Rows, or parts of one, by how their check units were found. */
  fullRows: number;
  readModifyWrites: number;
  reconstructWrites: number;
}

export type Composed = readonly Content[] | 'again' | 'failed';

/** New bytes of a data unit. Sectors within the unit. */
interface Piece {
  readonly unit: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

const sectorBytes = 512;

/** @param sector first sector of the array that the data are for; the slab is the least one with all of them */
export function* compose(
  g: Geometry,
  members: Members,
  slab: Slab,
  sector: number,
  data: Uint8Array,
  counts: WriteCounts,
): Task<Composed> {
  if (data.length === slab.rows * g.rowSectors * sectorBytes) {
    counts.fullRows += g.checkUnits === 0 ? 0 : slab.rows;
    return wholeRows(g, members, slab, data);
  }
  const { row } = slab;
  const pieces = piecesOf(g, row, sector, data);
  const own = pieces.flatMap(({ unit, from, bytes }) => {
    const member = g.dataMember(row, unit);
    return members.wants(member, slab) ? [{ member, sector: row * g.unitSectors + from, bytes }] : [];
  });
  const checks = Array.from({ length: g.checkUnits }, (_, c) => g.checkMember(row, c));
  const wanting = checks.filter((m) => members.wants(m, slab));
  if (wanting.length === 0) return own;
  const check = yield* checkOf(g, members, slab, pieces, counts);
  if (typeof check === 'string') return check;
  return [...own, ...wanting.map((member) => ({ member, sector: g.slabSector(slab), bytes: check }))];
}

function wholeRows(g: Geometry, members: Members, slab: Slab, data: Uint8Array): readonly Content[] {
  const unitBytes = g.unitSectors * sectorBytes;
  const images = Array.from({ length: g.members }, () => new Uint8Array(slab.rows * unitBytes));
  for (let i = 0; i < slab.rows; i++) {
    const units = Array.from({ length: g.dataUnits }, (_, unit) => {
      const at = (i * g.dataUnits + unit) * unitBytes;
      return data.subarray(at, at + unitBytes);
    });
    for (const [unit, bytes] of units.entries())
      images[g.dataMember(slab.row + i, unit)]?.set(bytes, i * unitBytes);
    const check = g.checkUnits === 0 ? null : xorOf(unitBytes, units);
    for (let c = 0; check !== null && c < g.checkUnits; c++)
      images[g.checkMember(slab.row + i, c)]?.set(check, i * unitBytes);
  }
  const sector = g.slabSector(slab);
  return images.flatMap((bytes, member) => (members.wants(member, slab) ? [{ member, sector, bytes }] : []));
}

function piecesOf(g: Geometry, row: number, sector: number, data: Uint8Array): readonly Piece[] {
  const end = sector + data.length / sectorBytes;
  const pieces: Piece[] = [];
  for (let unit = 0; unit < g.dataUnits; unit++) {
    const start = g.sectorOf(row, unit);
    const first = Math.max(sector, start);
    const last = Math.min(end, start + g.unitSectors);
    if (first < last)
      pieces.push({
        unit,
        from: first - start,
        to: last - start,
        bytes: data.subarray((first - sector) * sectorBytes, (last - sector) * sectorBytes),
      });
  }
  return pieces;
}

/** The new content of a check unit, as far as the slab reaches. */
function* checkOf(
  g: Geometry,
  members: Members,
  slab: Slab,
  pieces: readonly Piece[],
  counts: WriteCounts,
): Task<Uint8Array | 'again' | 'failed'> {
  const { row, from, to } = slab;
  const newSectors = pieces.reduce((sum, p) => sum + p.to - p.from, 0);
  const lengthBytes = (to - from) * sectorBytes;
  const readable = (unit: number): boolean => members.holds(g.dataMember(row, unit), slab);
  const check = Array.from({ length: g.checkUnits }, (_, c) => g.checkMember(row, c)).find((m) =>
    members.holds(m, slab),
  );
  const staying = stayingOf(g, slab, pieces);
  const place = (member: number, first: number, end: number) => ({
    member,
    sector: row * g.unitSectors + first,
    count: end - first,
  });

  const canModify = check !== undefined && pieces.every((p) => readable(p.unit));
  const canReconstruct = staying.every((s) => readable(s.unit));
  const modifyReads = newSectors + to - from;
  const reconstructReads = staying.reduce((sum, s) => sum + s.to - s.from, 0);

  if (canModify && (!canReconstruct || modifyReads < reconstructReads)) {
    counts.readModifyWrites++;
    const read = yield* members.read([
      place(check, from, to),
      ...pieces.map((p) => place(g.dataMember(row, p.unit), p.from, p.to)),
    ]);
    const lost = failing(members, [check, ...pieces.map((p) => g.dataMember(row, p.unit))], read);
    if (lost !== null) return lost;
    const [oldCheck, ...old] = read;
    const sum = oldCheck?.slice() ?? new Uint8Array(lengthBytes);
    for (const [i, p] of pieces.entries()) {
      const part = sum.subarray((p.from - from) * sectorBytes, (p.to - from) * sectorBytes);
      xorInto(part, old[i] ?? part);
      xorInto(part, p.bytes);
    }
    return sum;
  }

  counts.reconstructWrites++;
  const sum = new Uint8Array(lengthBytes);
  if (canReconstruct) {
    const owners = staying.map((s) => g.dataMember(row, s.unit));
    const read = yield* members.read(staying.map((s, i) => place(owners[i] ?? 0, s.from, s.to)));
    const lost = failing(members, owners, read);
    if (lost !== null) return lost;
    for (const [i, s] of staying.entries())
      xorInto(sum.subarray((s.from - from) * sectorBytes, (s.to - from) * sectorBytes), read[i] ?? sum);
    for (const p of pieces)
      xorInto(sum.subarray((p.from - from) * sectorBytes, (p.to - from) * sectorBytes), p.bytes);
    return sum;
  }
  const left = yield* members.readSlab(slab);
  if (typeof left === 'string') return left;
  const units = dataOf(g, row, left, 0, lengthBytes);
  for (const p of pieces) units[p.unit]?.set(p.bytes, (p.from - from) * sectorBytes);
  for (const unit of units) xorInto(sum, unit);
  return sum;
}

/** What of the data in a slab is not replaced. A piece that leaves something of its unit touches one of the slab's ends. */
function stayingOf(
  g: Geometry,
  { from, to }: Slab,
  pieces: readonly Piece[],
): readonly { readonly unit: number; readonly from: number; readonly to: number }[] {
  const staying: { unit: number; from: number; to: number }[] = [];
  for (let unit = 0; unit < g.dataUnits; unit++) {
    const piece = pieces.find((p) => p.unit === unit);
    if (piece === undefined) staying.push({ unit, from, to });
    else if (piece.from > from) staying.push({ unit, from, to: piece.from });
    else if (piece.to < to) staying.push({ unit, from: piece.to, to });
  }
  return staying;
}

function failing(
  members: Members,
  asked: readonly number[],
  read: readonly (Uint8Array | null)[],
): 'again' | 'failed' | null {
  const failed = asked.filter((_, i) => read[i] === null);
  if (failed.length === 0) return null;
  return failed.map((m) => members.fail(m)).every((borne) => borne) ? 'again' : 'failed';
}

/**
 * The data units of one row, from what members hold of it; one that none of them holds is the sum of the others and a check.
 *
 * @param at where the row begins in the bytes of each member
 * @returns copies
 */
export function dataOf(
  g: Geometry,
  row: number,
  held: ReadonlyMap<number, Uint8Array>,
  at: number,
  lengthBytes: number,
): readonly Uint8Array[] {
  const part = (member: number): Uint8Array | undefined => held.get(member)?.subarray(at, at + lengthBytes);
  const found = Array.from({ length: g.dataUnits }, (_, unit) => part(g.dataMember(row, unit))?.slice());
  const check = Array.from({ length: g.checkUnits }, (_, c) => part(g.checkMember(row, c))).find(
    (c) => c !== undefined,
  );
  const present = found.filter((unit) => unit !== undefined);
  return found.map(
    (unit) => unit ?? xorOf(lengthBytes, [...present, ...(check === undefined ? [] : [check])]),
  );
}
