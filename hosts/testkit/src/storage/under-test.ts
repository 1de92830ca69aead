/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

export interface StorageUnderTest {
  /**
   * One storage of at most 64 MB, since it is filled, and what it needs besides processors, memory, its policy and a block
   * cache: a disk.
   */
  readonly boards: KernelSpec;
  /** False where everything is lost with the power of the machine, as in memory. Default true. */
  readonly survives?: boolean;
  /** How many courses of events are drawn for each property. Default 10. */
  readonly courses?: number;
}
export type Bounds = Required<StorageUnderTest>;
