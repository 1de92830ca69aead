/**
 * The server's half: which clients are in the middle of their reopening (Welch 1990, chapter 6).
 *
 *   client       event                           next
 *   ordinary     begin                           reopening: its ordinary opens are refused
 *   reopening    complete                        ordinary
 *   reopening    it died, or is another boot     ordinary
 *
 * A client that completes what is not known here began with an earlier life of this server, or was called dead since: it
 * is told so, and starts over. Lost in a crash: everything.
 */
import type { Caller, HostId } from '@backplane/slots';

export class RecoveringClients {
  readonly #boots = new Map<HostId, number>();

  begin({ host, bootId }: Caller): void {
    this.#boots.set(host, bootId);
  }

  /** False when this client's reopening is not known here. */
  complete({ host, bootId }: Caller): boolean {
    return this.#boots.get(host) === bootId && this.#boots.delete(host);
  }

  died(host: HostId): void {
    this.#boots.delete(host);
  }

  admits(host: HostId, bootId: number): boolean {
    return this.#boots.get(host) !== bootId;
  }
}
