/**
 * What readers may see, independent of any protocol: a file of slots, each a regular register. A read of a slot returns
 * what some write put there, unless another write of that slot lay wholly between that write and the read.
 */

interface Write {
  readonly id: number;
  readonly startNs: number;
  endNs: number;
}

/** Zeros, or no bytes at all: what a truncation leaves. */
const empty = 0;

export class ModelFile {
  readonly #slots: Write[][];

  constructor(slots: number) {
    this.#slots = Array.from({ length: slots }, () => [{ id: empty, startNs: -1, endNs: -1 }]);
  }

  /** A write has begun. It has not ended before `ended` is called. */
  begin(slot: number, id: number, nowNs: number): { ended(nowNs: number): void } {
    const write: Write = { id, startNs: nowNs, endNs: Number.POSITIVE_INFINITY };
    this.#slots[slot]?.push(write);
    return {
      ended: (endNs) => {
        write.endNs = endNs;
      },
    };
  }

  /** All slots at once. */
  beginEmptying(nowNs: number): { ended(nowNs: number): void } {
    const all = this.#slots.map((_, slot) => this.begin(slot, empty, nowNs));
    return {
      ended: (endNs) => {
        for (const w of all) w.ended(endNs);
      },
    };
  }

  /** The ids that a read in this interval may return. */
  allowed(slot: number, startNs: number, endNs: number): Set<number> {
    const writes = this.#slots[slot] ?? [];
    const visible = writes.filter(
      (w) => w.startNs <= endNs && !writes.some((v) => v !== w && v.startNs > w.endNs && v.endNs < startNs),
    );
    return new Set(visible.map((w) => w.id));
  }
}

export const slotBytes = 1500;

/** A slot full of one id. */
export function slotOf(id: number): Uint8Array {
  const slot = new Uint8Array(slotBytes);
  for (let i = 0; i < slotBytes; i += 2) {
    slot[i] = id >> 8;
    slot[i + 1] = id & 0xff;
  }
  return slot;
}

/** The ids in what was read of a slot; what is missing at its end is empty. */
export function idsIn(bytes: Uint8Array): Set<number> {
  const ids = new Set<number>();
  for (let i = 0; i + 1 < bytes.length; i += 2) ids.add(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  if (bytes.length < slotBytes) ids.add(empty);
  return ids;
}
