/**
 * Requests that an entity of this host has passed on (RFC 1045, section 2.9): the next server answers the client itself. The
 * client knows nothing of it and asks again here, so this host passes that on, too, and what is said in return.
 *
 *   a repetition of a request that was passed on   the next server is looked for    notice ok: it is under way
 *                                                  the next server is here          as if it had come to that one
 *                                                  the next server is elsewhere     the message again, asking for an ack
 *                                                  the same, and it is silent       find the next server; else respond so
 *   a notice about it                              retry                            what is missing, from here
 *                                                  nonexistent, migrated            find the next server; else respond so
 *                                                  others                           to the client, by the way it came
 */
import type { EntityId, Message } from '@backplane/slots';
import { here } from './carrier.ts';
import type { LocalVerdict } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import type { ClientNotice } from './management.ts';
import type { Outgoing } from './outgoing.ts';
import type { RemoteClient } from './remote-client.ts';
import type { Resident } from './residents.ts';
import type { RequestPath, ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import { asksMax } from './times.ts';

/** What it needs of the host's servers. */
export interface Delivering {
  offer(record: RemoteClient, resident: Resident, path: RequestPath, m: Message): LocalVerdict;
  /** The client asks for the response of this one, which it has not got. */
  respondAgain(record: RemoteClient, request: ServedRequest): void;
}

export class Forwarding {
  readonly #parts: ServerParts;
  readonly #servers: Delivering;

  constructor(parts: ServerParts, servers: Delivering) {
    this.#parts = parts;
    this.#servers = servers;
  }

  /** The request goes on to another entity of this host. */
  here(record: RemoteClient, request: ServedRequest, to: EntityId, m: Message): void {
    const { path } = request;
    const resident = this.#parts.residents.get(to);
    if (resident === undefined) return;
    const on: RequestPath = { ...path, to, forwardCount: path.forwardCount + 1 };
    if (record.at(to, on.forwardCount) !== undefined) return;
    const verdict = this.#servers.offer(record, resident, on, m);
    if (verdict === 'notAwaiting') this.sayBack(request, responseCodes.notAwaitingMessage);
    record.schedule();
  }

  /** It has come again. */
  again(record: RemoteClient, request: ServedRequest): void {
    const { residents, output } = this.#parts;
    const { path, next, out } = request;
    if (next === null) return;
    request.asked++;
    if (request.passing) {
      this.sayBack(request, responseCodes.ok);
      return;
    }
    const on = record.at(next.to, path.forwardCount + 1);
    if (on !== undefined) this.#againHere(record, request, on);
    else if (residents.get(next.to) !== undefined) this.here(record, request, next.to, next.message);
    else if (out === null) this.#pass(request, undefined);
    else if (request.asked > asksMax) this.#pass(request, responseCodes.retransmissionTimeout);
    else if (!out.underWay) {
      out.count(true);
      if (out.fitsOne(output.dataBytes)) out.wantAll();
      else out.wantBare();
      output.again(out);
    }
  }

  #pass(request: ServedRequest, told: number | undefined): void {
    if (request.passing) return;
    if (request.out !== null) request.out.over = true;
    request.out = null;
    request.asked = 0;
    this.#parts.machine.scope.spawn('vmtp forward', request.pass(told));
  }

  #againHere(record: RemoteClient, request: ServedRequest, on: ServedRequest): void {
    if (on.state === 'processing' || on.state === 'responding') this.sayBack(request, responseCodes.ok);
    else if (on.state === 'responded') this.#servers.respondAgain(record, on);
    else if (on.state === 'forwarded') this.again(record, on);
    else if (on.state === 'discarded') this.sayBack(request, responseCodes.responseDiscarded);
  }

  /** The next server's host says something about it. */
  noticed(request: ServedRequest, out: Outgoing, notice: ClientNotice): void {
    const { counters, output } = this.#parts;
    request.asked = 0;
    switch (notice.code) {
      case responseCodes.retry:
      case responseCodes.retryAll:
        out.count(false);
        out.wantMissing(notice.transaction, notice.delivery, notice.code === responseCodes.retryAll);
        counters.retransmissions++;
        counters.selective++;
        output.again(out);
        break;
      case responseCodes.nonexistentEntity:
      case responseCodes.entityMigrated:
        this.#pass(request, notice.code);
        break;
      default:
        this.sayBack(request, notice.code);
    }
  }

  /** To the client, by the way on which the request came: directly, or through who forwarded it. */
  sayBack({ path }: ServedRequest, code: number): void {
    if (path.from === here) this.sayHere(path, code);
    else this.#parts.notices.toClient(path.from, path.to, path, 0, code);
  }

  /** To a client of this host. */
  sayHere({ client, transaction }: Pick<RequestPath, 'client' | 'transaction'>, code: number): void {
    const notice: ClientNotice = { client, control: 0, receiveSequence: 0, transaction, delivery: 0, code };
    this.#parts.clients.get(client)?.notified(notice, here);
  }
}
