/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

export interface NamingUnderTest {
  /** The naming, and what it needs besides a transport. */
  readonly boards: KernelSpec;
  /** How many trees of domains are drawn for the property. Default 10. */
  readonly courses?: number;
}
export type Bounds = Required<NamingUnderTest>;
