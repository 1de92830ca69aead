/**
 * Where what lies. Members are cut into units of so many sectors; units at the same place of all members make a row. Of a
 * row some units hold data and the others check them: each check unit is the exclusive or of the row's data units.
 *
 *   level   data units   check units   member of the first check unit
 *   0       all          none
 *   1       1            the others    turns from row to row: a check over one unit is a copy of it
 *   5       all but 1    1             turns from row to row
 *
 * Data units follow the check units round the members (the left-symmetric layout of Lee and Katz 1991), so that a run of
 * units lies on as many members as there are, and the copies of a mirror take turns in being the one that is read.
 */

export const levels = [0, 1, 5] as const;
export type Level = (typeof levels)[number];

/** The same part of each member: rows that follow one another, or a part of one row. */
export interface Slab {
  readonly row: number;
  readonly rows: number;
  /** Sectors within the unit; the whole unit where there are several rows. */
  readonly from: number;
  readonly to: number;
}

export class Geometry {
  readonly level: Level;
  readonly members: number;
  readonly unitSectors: number;
  readonly rows: number;
  readonly dataUnits: number;
  readonly checkUnits: number;
  /** Data sectors in a row. */
  readonly rowSectors: number;
  /** Of the array. */
  readonly sectors: number;

  constructor(level: Level, members: number, unitSectors: number, rows: number) {
    this.level = level;
    this.members = members;
    this.unitSectors = unitSectors;
    this.rows = rows;
    this.checkUnits = level === 0 ? 0 : level === 1 ? members - 1 : 1;
    this.dataUnits = members - this.checkUnits;
    this.rowSectors = this.dataUnits * unitSectors;
    this.sectors = rows * this.rowSectors;
  }

  /** The member with a data unit of a row. */
  dataMember(row: number, unit: number): number {
    return (this.#firstCheck(row) + this.checkUnits + unit) % this.members;
  }

  checkMember(row: number, check: number): number {
    return (this.#firstCheck(row) + check) % this.members;
  }

  /** Which data unit of a row a member has; -1: it checks. */
  unitOn(row: number, member: number): number {
    const place = (member - this.#firstCheck(row) + this.members) % this.members;
    return place < this.checkUnits ? -1 : place - this.checkUnits;
  }

  rowOf(sector: number): number {
    return Math.floor(sector / this.rowSectors);
  }

  /** First sector of the array in a data unit. */
  sectorOf(row: number, unit: number): number {
    return row * this.rowSectors + unit * this.unitSectors;
  }

  /** The least slab with a range of sectors in it: a part of a unit, or whole rows. */
  slabOf(sector: number, count: number): Slab {
    const row = this.rowOf(sector);
    const rows = this.rowOf(sector + count - 1) - row + 1;
    const from = sector % this.unitSectors;
    return from + count <= this.unitSectors
      ? { row, rows, from, to: from + count }
      : { row, rows, from: 0, to: this.unitSectors };
  }

  /** On each member. */
  slabSector({ row, from }: Slab): number {
    return row * this.unitSectors + from;
  }

  slabSectors({ rows, from, to }: Slab): number {
    return (rows - 1) * this.unitSectors + to - from;
  }

  #firstCheck(row: number): number {
    return this.checkUnits === 0 ? 0 : this.members - 1 - (row % this.members);
  }
}
