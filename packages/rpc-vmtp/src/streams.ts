/**
 * Streams, the client's side (RFC 1045, sections 2.11 and 2.14): several transactions of one client with one server are under
 * way at once, as a run. Their numbers follow one another; the server takes them in that order, each when the one before has
 * been answered, so that a stream is as good as one transaction after the other, without the pause between them.
 *
 *   transaction      NSR   NER
 *   the first        0     1
 *   those between    1     1
 *   the last         1     0
 *
 *   what is said                          what the client does
 *   response to one                       that one has ended; with PGcount n, so have the n before it
 *   streamingNotSupported                 ends the run; what was not answered is done again one at a time, and so is
 *                                         everything else that goes to that host
 *   noRunRecord, others before are open   waits: the first packet was lost
 *   noRunRecord, none is                  the server is another one than it was: as streamingNotSupported, this once
 *
 * Runs have up to `windowMax` transactions; a longer stream is several. A new run, as any new transaction, acknowledges all
 * responses of the one before.
 */
import { LazyTimer } from '@backplane/rpc-service';
import { codeOf, type EntityId, type Message } from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { ClientParts, Ending, TransactOptions } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import type { ClientNotice } from './management.ts';
import type { Packet } from './packet.ts';
import { streamFlagsOf } from './runs.ts';
import { Transaction } from './transaction.ts';

export const windowMax = 16;

export class ClientRun {
  readonly transactions: readonly Transaction[];
  readonly #first: number;
  readonly #timers: readonly LazyTimer[];

  /** @param first number of the first transaction */
  constructor(
    parts: ClientParts,
    wake: () => void,
    facts: {
      readonly client: EntityId;
      readonly to: EntityId;
      readonly first: number;
      readonly messages: readonly Message[];
      readonly options: TransactOptions;
    },
  ) {
    const { client, to, first, messages, options } = facts;
    const { scope } = parts.machine;
    this.#first = first;
    this.#timers = messages.map(
      (_, i) => new LazyTimer(scope, 'vmtp stream', () => this.transactions[i]?.expired()),
    );
    this.transactions = this.#timers.map((timer, i) => {
      const place = { parts, timer, wake, isFirstOpen: (n: number) => this.#isFirstOpen(n) };
      const number = (first + i) >>> 0;
      const message = messages[i] as Message; // boundary: in range
      const streamFlags = streamFlagsOf(i, messages.length);
      return new Transaction(place, { client, number, to, message, options, asking: false, streamFlags });
    });
  }

  get decided(): boolean {
    return this.transactions.every((t) => t.decided);
  }

  leave(): void {
    for (const t of this.transactions) t.leave();
    for (const timer of this.#timers) timer.stop();
  }

  #at(number: number): Transaction | undefined {
    const index = (number - this.#first) >>> 0;
    return index < this.transactions.length ? this.transactions[index] : undefined;
  }

  #isFirstOpen(number: number): boolean {
    const index = (number - this.#first) >>> 0;
    return this.transactions.every((t, i) => i >= index || t.decided);
  }

  /** False if the packet is about none of these. */
  response(p: Packet, from: Place): boolean {
    const one = this.#at(p.transaction);
    if (one === undefined) return false;
    const wasOpen = !one.decided;
    const covers = p.gap;
    one.response(p, from);
    const { ending } = one;
    if (wasOpen && ending !== null)
      for (let back = 1; back <= covers; back++) this.#at((p.transaction - back) >>> 0)?.answered(ending);
    return true;
  }

  notified(notice: ClientNotice, from: Place): boolean {
    const one = this.#at(notice.transaction);
    one?.notified(notice, from);
    return one !== undefined;
  }
}

/** Is it to be done again by itself? Nobody has executed it. */
export const wasRefused = ({ message, place }: Ending): boolean => {
  const code = codeOf(message);
  return (
    place === undefined &&
    (code === responseCodes.streamingNotSupported || code === responseCodes.noRunRecord)
  );
};
