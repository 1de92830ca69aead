/**
 * A request as its client's host sends it: the packet groups, the route that they take, and how they are sent again. When that
 * happens is the transaction's to say.
 */
import type { EntityId, Message, MessagePriority } from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { ClientParts } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import { groupFlags } from './layout.ts';
import type { ClientNotice } from './management.ts';
import type { Outgoing } from './outgoing.ts';
import type { Route } from './routes.ts';
import { controlFields } from './words.ts';

export interface RequestFacts {
  readonly client: EntityId;
  readonly number: number;
  readonly to: EntityId;
  readonly message: Message;
  readonly priority: MessagePriority;
  /** It, or its response, may be a run. */
  readonly runs: boolean;
  /** Bits of `groupFlags` of a transaction in a stream; else 0. */
  readonly streamFlags: number;
}

export class SentRequest {
  readonly out: Outgoing;
  readonly #parts: ClientParts;
  readonly multicast: boolean;
  #route: Route;
  /** When it was last sent, or part of it. */
  #sentNs = 0;
  /** Packets of it were, and the gap has been widened for it. */
  #lossy = false;
  /** The next repetition is to bring everything. */
  #wholly = false;

  constructor(parts: ClientParts, facts: RequestFacts, route: Route, multicast: boolean) {
    const { output, residents } = parts;
    const { client, to, runs } = facts;
    const isMember = multicast && residents.members(to).some((r) => r.entity === client);
    this.#parts = parts;
    this.multicast = multicast;
    this.#route = route;
    this.out = output.prepare(
      {
        client,
        server: to,
        response: false,
        transaction: facts.number,
        forwardCount: 0,
        priority: facts.priority,
        flags:
          facts.streamFlags |
          (runs ? groupFlags.skipTransactions : 0) |
          (isMember ? groupFlags.memberOfDestination : 0),
        gap: route.askedGap,
        multicast,
      },
      facts.message,
      route.place,
      output.gapNs(route.sendGap),
    );
  }

  get place(): Place {
    return this.out.place;
  }

  get roundTripNs(): number {
    return this.#route.roundTripNs;
  }

  /** Between packets of the response, in the header's units. */
  get askedGap(): number {
    return this.#route.askedGap;
  }

  /** All of it has been sent from a thread. */
  sent(): void {
    this.#sentNs = this.#parts.machine.engine.nowNs;
  }

  /** The server is elsewhere: all of it is sent there next. */
  aim(route: Route): void {
    const { output } = this.#parts;
    this.#route = route;
    this.out.place = route.place;
    this.out.gapNs = output.gapNs(route.sendGap);
    // A server that has come there may know it, and then answers who asks for a sign.
    this.out.count(this.out.fitsOne(output.dataBytes));
  }

  /** The server was busy: it has kept nothing. */
  wholly(): void {
    this.#wholly = true;
  }

  /**
   * Nothing was heard: sends it again, and asks for an acknowledgement.
   * @param blocks of an idempotent transaction's response that lack; others need not come again
   */
  repeat(blocks?: number): void {
    const { output, counters } = this.#parts;
    const { out } = this;
    counters.retransmissions++;
    out.count(true);
    if (blocks !== undefined) out.ask(blocks);
    if (this.#wholly || out.fitsOne(output.dataBytes)) out.wantAll();
    else out.wantBare();
    this.#wholly = false;
    output.again(out);
    this.sent();
  }

  /** The server lacks some of it. */
  resend({ transaction, delivery, code }: ClientNotice): void {
    const { output, counters, carrier } = this.#parts;
    const { out } = this;
    if (out.sending || out.waiting > 0) return; // what is missing may be among these; the server asks again
    out.count(false);
    out.wantMissing(transaction, delivery, code === responseCodes.retryAll);
    counters.retransmissions++;
    counters.selective++;
    if (delivery !== 0 && !this.#lossy && out.givenUp === carrier.givenUp) {
      this.#lossy = true;
      counters.gapsWidened++;
      this.#route.widenSend();
      out.gapNs = output.gapNs(this.#route.sendGap);
    }
    output.again(out);
    this.sent();
  }

  /** The server has all of it. */
  received(): void {
    if (!this.#lossy && !this.out.fitsOne(this.#parts.output.dataBytes)) this.#route.easeSend();
  }

  /** A response of several packets came from there without loss. */
  easeAsked(from: Place): void {
    (from === this.place ? this.#route : this.#parts.routes.at(from)).easeAsked();
  }

  /** Packets of the response were lost. */
  widenAsked(): void {
    this.#parts.counters.gapsWidened++;
    this.#route.widenAsked();
  }

  /** A notice matched to a transmission by its count, which is modulo 8. Of a group, members are at different places. */
  measure(control: number): void {
    const { out } = this;
    if (this.multicast || out.underWay || out.retransmitCount === 0) return;
    if (controlFields(control).retransmitCount === (out.retransmitCount & 7))
      this.#route.measured(this.#parts.machine.engine.nowNs - this.#sentNs);
  }
}
