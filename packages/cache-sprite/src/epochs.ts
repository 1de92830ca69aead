/**
 * Epochs of clients. One ends when the client is called dead, and when it has reopened what it has: what it asked for before
 * that, it has given up. A handler that works for a client and blocks compares before and after; else it would enter an
 * open that nobody has.
 */
import { type HostId, KernelError } from '@backplane/slots';

export class Epochs {
  readonly #epochs = new Map<HostId, number>();

  of(client: HostId): number {
    return this.#epochs.get(client) ?? 0;
  }

  end(client: HostId): void {
    this.#epochs.set(client, this.of(client) + 1);
  }

  /** @throws KernelError `recovering`: should the client still want it, it has to ask again */
  demand(client: HostId, epoch: number): void {
    if (this.of(client) !== epoch) throw new KernelError('recovering', 'given up meanwhile');
  }
}
