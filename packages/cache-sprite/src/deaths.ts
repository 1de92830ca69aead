/**
 * How often each client has been called dead. A handler that works for a client and blocks compares before and after: else
 * it would enter a client that has just been forgotten.
 */
import { type HostId, KernelError } from '@backplane/slots';

export class Deaths {
  readonly #deaths = new Map<HostId, number>();

  of(client: HostId): number {
    return this.#deaths.get(client) ?? 0;
  }

  died(client: HostId): void {
    this.#deaths.set(client, this.of(client) + 1);
  }

  /** @throws KernelError `recovering`: the client, should it live, has to reopen what it has first */
  demand(client: HostId, deathsBefore: number): void {
    if (this.of(client) !== deathsBefore) throw new KernelError('recovering', 'called dead meanwhile');
  }
}
