/** Requests of a storage that its disk does not carry out. */
import type { DiskFaults } from './disk.ts';

/** One request, and with `lasting` what it failed on from then on. */
export interface Failing {
  /** Counted from 0 since the machine was booted. */
  readonly index: number;
  readonly lasting: boolean;
}

/** The sectors of a write, which stay bad. */
export function failingWrite({ index, lasting }: Failing): DiskFaults {
  let bad: { readonly from: number; readonly to: number } | null = null;
  return {
    failsWrite: (i, sector, count) => {
      if (i === index) {
        bad = { from: sector, to: sector + count };
        return true;
      }
      return lasting && bad !== null && sector < bad.to && sector + count > bad.from;
    },
  };
}

/** A sector in the middle of a read, which stays bad whatever is written to it. */
export function failingRead({ index, lasting }: Failing): DiskFaults {
  let bad: number | null = null;
  return {
    failsRead: (i, sector, count) => {
      if (i === index) {
        bad = sector + (count >> 1);
        return true;
      }
      return lasting && bad !== null && sector <= bad && sector + count > bad;
    },
  };
}
