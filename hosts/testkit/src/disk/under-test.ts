/** What the kit is told about the board under test. */
import type { Board } from '@backplane/slots';

export interface DiskUnderTest {
  /** A disk of at least 4000 sectors. A board made of other disks is not tried here. */
  readonly disk: Board<'disk'>;
  /** How many courses of requests are drawn for each property. Default 15. */
  readonly courses?: number;
}
export type Bounds = Required<DiskUnderTest>;
