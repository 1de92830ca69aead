/** What the kit is told about the board under test. */
import type { KernelSpec } from '@backplane/slots';

export interface EntitiesUnderTest {
  /** The transport, and what it needs besides processors, an interface, a scheduler and a locator. */
  readonly boards: KernelSpec;
  /** How long after a host's last word a transaction with it may still hope, in seconds. Default 60. */
  readonly silenceSeconds?: number;
  /** How long it may take until one side knows what has become of the other one, in seconds. Default 60. */
  readonly noticeSeconds?: number;
  /** How many courses of events are drawn for each property. Default 20. */
  readonly courses?: number;
  /** Does the transport promise `moves`? Default: nobody looks. */
  readonly moves?: boolean;
}

/** The same with nothing left out but what is not asked. */
export type Bounds = Required<Omit<EntitiesUnderTest, 'moves'>> & Pick<EntitiesUnderTest, 'moves'>;
