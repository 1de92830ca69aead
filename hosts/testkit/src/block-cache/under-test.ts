/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

export interface BlockCacheUnderTest {
  /** The block cache, and what it needs besides processors, page frames and their policy. */
  readonly boards: KernelSpec;
  /** How long after its age a dirty block may still be there, in seconds. Default 10. */
  readonly lateSeconds?: number;
  /** How many courses of operations are drawn for the property. Default 10. */
  readonly courses?: number;
}
export type Bounds = Required<BlockCacheUnderTest>;
