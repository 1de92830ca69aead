/**
 * The event log as a running hash: two runs with equal inputs give equal digits, and the first event that differs in
 * time, scope, kind or entry changes them all.
 *
 * Four 32-bit lanes. Each event enters each lane once, by operations that are one to one in the lane and in what
 * enters, and stirs its neighbour in, so no single difference can vanish. Multiplication, xor and rotation of 32-bit
 * integers: the same on every machine. SHA-256 of the lanes gives the digits. The seed is not folded: equal hashes
 * mean equal events, whatever caused them.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

const TWO_POW_MINUS_32 = 1 / 4294967296;

export class EventLog {
  private a = 0x243f6a88;
  private b = 0x05a308d3;
  private c = 0x13198a2e;
  private d = 0x03707344;

  /**
   * Called for every event; a few nanoseconds.
   *
   * @param kind 0 thread, 1 timer
   */
  fold(timeNs: number, scopeId: number, kind: number, id: number): void {
    const a = Math.imul(this.a ^ timeNs, 0x9e3779b1);
    const b = Math.imul(this.b ^ (timeNs * TWO_POW_MINUS_32), 0x85ebca77);
    const c = Math.imul(this.c ^ ((scopeId << 1) | kind), 0xc2b2ae3d);
    const d = Math.imul(this.d ^ id, 0x27d4eb2f);
    this.a = (((a << 13) | (a >>> 19)) + d) | 0;
    this.b = (((b << 17) | (b >>> 15)) + this.a) | 0;
    this.c = (((c << 11) | (c >>> 21)) + this.b) | 0;
    this.d = (((d << 19) | (d >>> 13)) + this.c) | 0;
  }

  /** 64 hexadecimal digits. */
  digest(events: number): string {
    const bytes = new DataView(new ArrayBuffer(24));
    bytes.setInt32(0, this.a);
    bytes.setInt32(4, this.b);
    bytes.setInt32(8, this.c);
    bytes.setInt32(12, this.d);
    bytes.setFloat64(16, events);
    return bytesToHex(sha256(new Uint8Array(bytes.buffer)));
  }
}
