/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

export interface IpcUnderTest {
  /** The ipc, and what it needs besides a transport with entities. */
  readonly boards: KernelSpec;
  /** How long a send may wait for a host that is silent, in seconds. Default 120. */
  readonly silenceSeconds?: number;
  /** How long after a process died one on another host that receives only from it may not know, in seconds. Default 60. */
  readonly noticeSeconds?: number;
  /** How many courses of events are drawn for each property. Default 15. */
  readonly courses?: number;
  /** Does the transport that was given move entities, so that processes move? Default: nobody looks. */
  readonly moves?: boolean;
}

/** The same with nothing left out but what is not asked. */
export type Bounds = Required<Omit<IpcUnderTest, 'moves'>> & Pick<IpcUnderTest, 'moves'>;
