/** What the kit is told about the board under test. */
import type { Board } from '@backplane/slots';

export interface DiskUnderTest {
  /** A disk of at least 4000 sectors; the machine's `disk.0`. */
  readonly disk: Board<'disk'>;
  /** The disks that it is made of, if it is: `disk.1` and so on. Default none. */
  readonly of?: readonly Board<'disk'>[];
  /** How many courses of requests are drawn for each property. Default 15. */
  readonly courses?: number;
}
export type Bounds = Required<DiskUnderTest>;
