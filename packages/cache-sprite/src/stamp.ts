/**
 * Stamps order what one server decided about one file: by the server's life, then by its counter of opens. Versions tell
 * contents apart: they are stored, and rise with each open for writing.
 */

export interface Stamp {
  /** The server's boot identifier. */
  readonly life: number;
  readonly number: number;
}

/** Older than every other. */
export const noStamp: Stamp = { life: 0, number: 0 };

export const isNewer = (a: Stamp, than: Stamp): boolean =>
  a.life > than.life || (a.life === than.life && a.number > than.number);

/** A version, and the life of the server in which the holder was told it. */
export interface Version {
  readonly number: number;
  readonly life: number;
}

/**
 * From which version on a client's blocks are good. `thisLife`: only versions told in this life of the server are: the
 * file has been opened for writing since its reboot, and what the crash took may have been a version.
 */
export interface GoodFrom {
  readonly number: number;
  readonly thisLife: boolean;
}

export const isGood = (v: Version, from: GoodFrom, life: number): boolean =>
  v.number >= from.number && (!from.thisLife || v.life === life);
