/**
 * The host monitor's policy (Welch 1990, chapter 6; `src/kernel/recov/recovery.c`): it learns from the packets that arrive
 * anyway; a call without an answer, and a packet with another boot identifier, are its only signs. "Heard" is a whole
 * request or reply, as in Sprite; not a fragment, not an acknowledgement.
 *
 *   sign of life                     monitor on     monitor off
 *   a whole request or reply         heard          heard, unless the host is known to be alive
 *   the answer to a ping             it is a reply  heard
 */
import { PeerMonitor, type PeerMonitorParts } from '@backplane/rpc-service';
import type { HostId } from '@backplane/slots';

export class HostMonitor extends PeerMonitor {
  readonly #listening: boolean;

  /** @param listening false: only pings and failed calls tell of other hosts */
  constructor(parts: PeerMonitorParts, listening: boolean) {
    super(parts);
    this.#listening = listening;
  }

  /** A whole request or reply has come from the host. */
  note(host: HostId, bootId: number, notActive: boolean): void {
    if (this.#listening || !this.isAlive(host)) this.heard(host, bootId, !notActive);
  }

  /** The host has answered a ping. */
  answered(host: HostId, bootId: number): void {
    if (!this.#listening) this.heard(host, bootId);
  }
}
