/**
 * Where a block lies, as one number: a file's pointers are long arrays of them, and a block has not moved exactly when
 * the numbers are equal. Sector in the lowest 32 bits, then 16 bits for the sectors that it takes, then its form.
 */
import { none, type Pointer } from './layouts.ts';

/** 0: nowhere. */
export type Place = number;
export const nowhere: Place = 0;

const lengthUnit = 0x1_0000_0000;
const formUnit = 0x1_0000_0000_0000;

export const placeOf = (sector: number, sectors: number, form = 0): Place =>
  sector + sectors * lengthUnit + form * formUnit;
export const sectorOf = (p: Place): number => p >>> 0;
export const sectorsOf = (p: Place): number => Math.floor(p / lengthUnit) & 0xffff;
export const formOf = (p: Place): number => Math.floor(p / formUnit);

export const fromPointer = (p: Pointer): Place =>
  p.sector === none ? nowhere : placeOf(p.sector, p.sectors, p.form);
