/**
 * Responses that are kept until their clients have them: sent again as a whole, in part, or as a question whether they have
 * arrived. The table of states is in `ServedRequest`, when what happens in `Servers`.
 */
import { type Task, tasks } from '@backplane/engine';
import { here } from './carrier.ts';
import { responseCodes } from './codes.ts';
import type { ServerNotice } from './management.ts';
import type { Outgoing } from './outgoing.ts';
import type { ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import { asksMax, retriesMax } from './times.ts';

export class KeptResponses {
  static {
    tasks(KeptResponses);
  }

  readonly #parts: ServerParts;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** The client asks for all of it. Who asks again and again, by way of another host, is not where it was. */
  repeat(request: ServedRequest): void {
    const { out } = request;
    const { counters, output } = this.#parts;
    if (out === null || out.underWay) return;
    const isFar = request.path.forwardCount > 0;
    request.asked++;
    if (isFar && (request.astray || request.asked > asksMax)) {
      this.pursue(request);
      return;
    }
    counters.retransmissions++;
    out.count(out.hasData);
    out.wantAll();
    output.again(out);
  }

  /** The client's host says something about it. */
  noticed(request: ServedRequest, out: Outgoing, notice: ServerNotice): void {
    switch (notice.code) {
      case responseCodes.retry:
      case responseCodes.retryAll:
        this.#sendMissing(request, out, notice);
        break;
      case responseCodes.busy:
        out.count(true);
        out.wantAll(); // with the next time-out
        break;
      case responseCodes.entityMigrated:
        this.#lose(request);
        break;
      case responseCodes.nonexistentEntity:
        // Who asked from there is dead. Who asked elsewhere may have left that host long ago.
        if (request.path.forwardCount > 0) this.#lose(request);
        else this.drop(request);
        break;
      case responseCodes.ok:
      case responseCodes.responseDiscarded:
      case responseCodes.badTransactionId: // it has gone on
        this.acknowledged(request);
        this.drop(request);
        break;
      default:
        this.drop(request);
    }
  }

  /** The client is not there. It asks from where it has come. */
  #lose(request: ServedRequest): void {
    request.astray = true;
    request.tries = 0;
    if (request.path.forwardCount > 0) this.pursue(request);
  }

  #sendMissing(request: ServedRequest, out: Outgoing, { transaction, delivery, code }: ServerNotice): void {
    if (out.waiting > 0) return; // what is missing may be among these; the client asks again
    const { counters, output, carrier } = this.#parts;
    out.count(false);
    out.wantMissing(transaction, delivery, code === responseCodes.retryAll);
    counters.retransmissions++;
    counters.selective++;
    if (delivery !== 0 && !request.lossy && out.givenUp === carrier.givenUp) {
      request.lossy = true;
      counters.gapsWidened++;
      const { route } = request;
      route?.widenSend();
      out.gapNs = output.gapNs(Math.max(route?.sendGap ?? 0, request.path.gap));
    }
    output.again(out);
  }

  /** Finds a client that does not ask here, and sends the response there. */
  pursue(request: ServedRequest): void {
    if (request.passing) return;
    request.passing = true;
    this.#parts.machine.scope.spawn('vmtp response', this.#pursuit(request));
  }

  *#pursuit(request: ServedRequest): Task<void> {
    const { finder, output, clients } = this.#parts;
    const { client, out } = request;
    const wanted = (): boolean => out !== null && !out.over && request.out === out;
    const found = yield* finder().find(client, responseCodes.entityMigrated, false, wanted);
    request.passing = false;
    if (found.place === undefined || out === null || !wanted()) return;
    request.asked = 0;
    if (clients.get(client) !== undefined) request.handAgain();
    else if (found.place !== here) {
      request.aim(found.place);
      out.count(true);
      out.wantAll();
      output.again(out);
    }
  }

  /** Asks whether it has arrived, or does so no more. */
  inquire(request: ServedRequest): void {
    const { out } = request;
    if (out === null || out.underWay) return;
    if (request.tries >= retriesMax) {
      this.drop(request);
      return;
    }
    request.tries++;
    this.#parts.counters.retransmissions++;
    out.count(true);
    out.wantBare();
    this.#parts.output.again(out);
  }

  /** The client has it: it says so, or its next transaction does. */
  acknowledged({ state, out, packets, lossy, route }: ServedRequest): void {
    if (state === 'responded' && out !== null && packets > 1 && !lossy) route?.easeSend();
  }

  /** Nobody wants it. */
  drop(request: ServedRequest): void {
    if (request.out !== null) request.out.over = true;
    request.out = null;
    request.state = 'discarded';
  }
}
