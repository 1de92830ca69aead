/**
 * What a server remembers of one file until its own reboot, whether or not the file is open: who has opened it for writing
 * last. From that follows which copies are good.
 *
 *   a client's blocks of version v are good when
 *     nobody has opened the file for writing in this life     v is at least the version that is stored
 *     the client itself has, after everybody else             v is at least the version before its own
 *     another one has                                         v is at least that one's, and was told in this life
 *
 * The second line is Sprite's "stale if older than the reply's version minus one", stretched over several opens of one
 * client: their replies may overtake one another. The last line's condition: a crash may take a version number with it
 * that was not on the disk yet, and the number is given again.
 */
import type { HostId } from '@backplane/slots';
import type { GoodFrom } from './stamp.ts';

export class History {
  /** Who opened the file for writing last in this life. */
  #writer: HostId | null = null;
  /** What was good for that one before its own, possibly many, opens for writing. */
  #before: GoodFrom = { number: 0, thisLife: false };
  /** Number of the stamp of the last open that emptied it; 0: none. For a client that has crashed over such an open of its own. */
  emptiedAt = 0;

  /** @param version the stored one */
  goodFrom(client: HostId, version: number): GoodFrom {
    if (this.#writer === null) return { number: version, thisLife: false };
    return this.#writer === client ? this.#before : { number: version, thisLife: true };
  }

  /** The client opens the file for writing; `version` is still the one before. */
  written(client: HostId, version: number): void {
    if (this.#writer === client) return;
    this.#before = { number: version, thisLife: this.#writer !== null };
    this.#writer = client;
  }
}
