/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

export interface TransportUnderTest {
  /** The transport, and what it needs besides processors, an interface, a scheduler and a locator. */
  readonly boards: KernelSpec;
  /** How long after a peer's last word a call to it may still hope, in seconds. Default 60. */
  readonly silenceSeconds?: number;
  /** How long after a reboot an idle host that watches the peer may not know of it, in seconds. Default 60. */
  readonly noticeSeconds?: number;
  /** How many courses of events are drawn for each property. Default 20. */
  readonly courses?: number;
}

/** The same with nothing left out. */
export type Bounds = Required<TransportUnderTest>;
