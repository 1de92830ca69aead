/** Virtual time on the disk: 64 bits, two's complement. */
import { address } from './layouts.ts';

export const toWire = (ns: number): bigint => BigInt.asUintN(64, BigInt(ns));
export const fromWire = (ns: bigint): number => Number(BigInt.asIntN(64, ns));

/** The same without a bigint, where many are written: two words. */
export function putNs(bytes: Uint8Array, at: number, ns: number): void {
  address.set.sector(bytes, at, Math.floor(ns / 0x1_0000_0000) >>> 0);
  address.set.sector(bytes, at + 4, ns >>> 0);
}
