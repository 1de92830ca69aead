/** What the kit is told about the board under test. */
import type { Board } from '@backplane/slots';

export interface MediumUnderTest {
  readonly medium: Board<'medium'>;
  /** How many courses of frames are drawn for each property. Default 10. */
  readonly courses?: number;
}
export type Bounds = Required<MediumUnderTest>;
