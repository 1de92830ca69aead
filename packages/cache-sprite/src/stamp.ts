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

/**
 * The same at a reopening. A client whose opens for writing, or reopens, were never answered, since the server crashed over
 * them, may itself have caused so many of the versions that are stored; then there is doubt. That may be believed of an
 * earlier life only: of this one the server knows.
 */
export function judge(
  v: Version,
  unanswered: number,
  from: GoodFrom,
  life: number,
): 'good' | 'doubtful' | 'old' {
  if (isGood(v, from, life)) return 'good';
  return v.life !== life && !from.thisLife && v.number + unanswered >= from.number ? 'doubtful' : 'old';
}
