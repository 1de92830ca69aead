/**
 * Responses that are kept until their clients have them: sent again as a whole, in part, or as a question whether they have
 * arrived. The table of states is in `ServedRequest`, when what happens in `Servers`.
 */
import { type Task, tasks } from '@backplane/engine';
import { responseCodes } from './codes.ts';
import type { ServerNotice } from './management.ts';
import type { Outgoing } from './outgoing.ts';
import type { ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import { retriesMax } from './times.ts';

export class KeptResponses {
  static {
    tasks(KeptResponses);
  }

  readonly #parts: ServerParts;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** The client asks for all of it. */
  repeat({ out }: ServedRequest): void {
    const { counters, output } = this.#parts;
    if (out === null || out.underWay) return;
    counters.retransmissions++;
    out.count(hasData(out));
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
        // It is on its way, and will be somewhere: that is no silence.
        request.tries = 0;
        this.#parts.machine.scope.spawn('vmtp response', this.#follow(request));
        break;
      default:
        this.drop(request);
    }
  }

  #sendMissing(request: ServedRequest, out: Outgoing, { transaction, delivery, code }: ServerNotice): void {
    if (out.waiting > 0) return; // what is missing may be among these; the client asks again
    const { counters, output } = this.#parts;
    out.count(false);
    out.wantMissing(transaction, delivery, code === responseCodes.retryAll);
    counters.retransmissions++;
    counters.selective++;
    if (delivery !== 0 && !request.lossy) {
      request.lossy = true;
      counters.gapsWidened++;
      const { route } = request;
      route?.widenSend();
      out.gapNs = output.gapNs(Math.max(route?.sendGap ?? 0, request.path.gap));
    }
    output.again(out);
  }

  /** The client has moved: finds it, and sends the response there. */
  *#follow(request: ServedRequest): Task<void> {
    const { finder, output, routes } = this.#parts;
    const found = yield* finder().find(request.client, responseCodes.entityMigrated, false);
    const { out } = request;
    if (found.place === undefined || out === null || out.over) return;
    out.place = found.place;
    request.route = routes.at(found.place);
    out.count(true);
    out.wantAll();
    output.again(out);
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

  /** The client's next transaction says that it has it. */
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

/** Without data there is little to keep: whether it has arrived is not asked. */
export function hasData({ groups }: Outgoing): boolean {
  for (const { blocks } of groups) if (blocks !== 0) return true;
  return false;
}
