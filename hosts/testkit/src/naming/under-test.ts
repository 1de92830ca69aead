/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

/** A directory that the servers of the checks share, and what each of them needs for it in place of the boards under test. */
export interface SharedDirectory {
  readonly prefix: string;
  readonly ginger: KernelSpec;
  readonly mint: KernelSpec;
  /** A name that is the first server's, and one that is the second's and comes after it. */
  readonly names: readonly [string, string];
}

export interface NamingUnderTest {
  /** The naming, and what it needs besides a transport. */
  readonly boards: KernelSpec;
  /** How many trees of domains are drawn for the property. Default 10. */
  readonly courses?: number;
  /** Absent: the naming has no directories that servers share. */
  readonly shared?: SharedDirectory;
}
export type Bounds = Required<Omit<NamingUnderTest, 'shared'>> & Pick<NamingUnderTest, 'shared'>;
