/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

/**
 * Who sees what, and when.
 *
 * `sequential`: a read sees the last write that had ended when it began, on whatever host; names and attributes too.
 * `close-to-open`: an open sees what was closed before; a file that is open, names and attributes may be old for a while.
 */
export type Consistency = 'sequential' | 'close-to-open';

export interface FileCacheUnderTest {
  /** The file cache, on all machines, and what it needs besides a transport, naming, streams and a block cache. */
  readonly boards: KernelSpec;
  readonly consistency: Consistency;
  /** With `close-to-open`: how old what is seen may be, in seconds. Default 60. */
  readonly staleSeconds?: number;
  /** Whose opens keep a removed file alive: those of every host, or those of the host that removes it. Default `cluster`. */
  readonly keepsRemoved?: 'cluster' | 'host';
  /** Whom a lock keeps out: everybody, or the streams of one host. Default `cluster`. */
  readonly locksBind?: 'cluster' | 'host';
  /** How many courses of operations are drawn for each property. Default 8. */
  readonly courses?: number;
}
export type Bounds = Required<FileCacheUnderTest>;
