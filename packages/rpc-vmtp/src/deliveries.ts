/**
 * Whole requests: who gets them, and what repetitions of them do (RFC 1045, sections 2.5 and 4.6). What a request does once it
 * has been delivered is in `ServedRequest`.
 *
 *   delivery         action
 *   taken            processing; set TS2
 *   notAwaiting      forget it; notice notAwaitingMessage, unless by multicast
 *   busy             forget it; notice busy, unless by multicast: it comes again
 *   frozen           forget it; notice ok: it comes again, whole when it is delivered elsewhere
 *   not its turn     in a stream, the one before is not answered: hold it until then
 *
 *   the request is         it comes again and asks for an acknowledgement
 *   held                   notice ok: we have it
 *   processing             the same
 *   responded              send the response again
 *   responded, idempotent  deliver it again
 *   discarded, settled     notice responseDiscarded, unless by multicast
 *   forwarded              pass that on: whoever has it now answers
 *
 * A copy that a service refused is forgotten, so the next one is as new. The sender of a group's request gets no copy of its
 * own.
 */
import { isGroup, type Message } from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { LocalVerdict } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import { type Delivering, Forwarding } from './forwarding.ts';
import type { KeptResponses } from './kept-responses.ts';
import type { Packet } from './packet.ts';
import type { RemoteClient } from './remote-client.ts';
import type { Resident } from './residents.ts';
import { type RequestPath, ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import type { ServerWords } from './server-words.ts';

export class Deliveries implements Delivering {
  readonly forwarding: Forwarding;
  readonly #parts: ServerParts;
  readonly #kept: KeptResponses;
  readonly #words: ServerWords;

  constructor(parts: ServerParts, kept: KeptResponses, words: ServerWords) {
    this.#parts = parts;
    this.#kept = kept;
    this.#words = words;
    this.forwarding = new Forwarding(parts, this);
  }

  /** Hands a whole request to who is meant. */
  deliver(record: RemoteClient, path: RequestPath, m: Message): LocalVerdict {
    const { residents } = this.#parts;
    if (isGroup(path.to)) {
      let verdict: LocalVerdict = 'nobody';
      for (const member of [...residents.members(path.to)]) {
        if (member.entity === path.client) continue;
        const has = record.at(member.entity, path.forwardCount) !== undefined;
        verdict = better(verdict, has ? 'taken' : this.offer(record, member, path, m));
      }
      record.schedule();
      return verdict;
    }
    const resident = residents.get(path.to);
    if (resident === undefined) return 'nobody';
    // It may have come another way, too: its client, or who passed it on, has come to this host.
    if (record.at(path.to, path.forwardCount) !== undefined) return 'taken';
    if (!this.#isNext(record)) {
      record.held = { path, message: m };
      return 'taken';
    }
    const verdict = this.offer(record, resident, path, m);
    if (verdict === 'notAwaiting') this.#words.say(path, responseCodes.notAwaitingMessage);
    else if (verdict === 'busy') this.#words.say(path, responseCodes.busy);
    else if (verdict === 'frozen') this.#words.say(path, responseCodes.ok);
    record.schedule();
    return verdict;
  }

  // ---- streams ----

  /** Has the transaction before it, in its stream, been answered? */
  #isNext({ head, transaction }: RemoteClient): boolean {
    if (head === null || transaction === undefined) return true;
    const before = (transaction - 1) >>> 0;
    return (before === head.transaction ? head : head.follower(before))?.answered === true;
  }

  /** A request has left its server: the one after it in the stream may come. */
  left(record: RemoteClient): void {
    const head = record.head ?? record;
    record.answered = true;
    if (!head.streams || record.transaction === undefined) return;
    const next = head.follower((record.transaction + 1) >>> 0);
    const held = next?.held ?? null;
    if (next === undefined || held === null) return;
    next.held = null;
    this.deliver(next, held.path, held.message);
  }

  // ---- to entities ----

  /** Hands a request to an entity of this host, if that takes any. */
  offer(record: RemoteClient, resident: Resident, path: RequestPath, m: Message): LocalVerdict {
    const refusal = this.#parts.services.refusal(resident);
    if (refusal !== undefined) return refusal;
    const request = new ServedRequest(this.#parts, record, resident, path, m);
    record.add(request);
    const verdict = resident.service.arrived(request);
    if (verdict === 'taken') {
      this.#parts.counters.requests++;
      return verdict;
    }
    request.state = 'over';
    record.remove(request);
    return verdict;
  }

  // ---- repetitions ----

  /** A request that was delivered comes again and asks for a sign. True: it is to be received as new. */
  again(record: RemoteClient, p: Packet, from: Place): boolean {
    if (record.settledBy !== null && p.forwardCount === 0) {
      this.#words.refuse(p, from, responseCodes.responseDiscarded);
      return false;
    }
    const own = record.requests.filter((r) => r.path.forwardCount === p.forwardCount);
    const [one] = own;
    if (one === undefined) return true;
    if (isGroup(p.server)) this.deliver(record, one.path, one.message); // who was busy has another chance
    let isNew = false;
    for (const request of own) {
      request.heardFrom(from);
      switch (request.state) {
        case 'processing':
        case 'responding':
          if (request.isDatagram) break;
          this.#words.have(p, from, p.sentBlocks);
          break;
        case 'responded':
          isNew = this.#repeat(record, request) || isNew;
          break;
        case 'forwarded':
          this.forwarding.again(record, request);
          break;
        case 'discarded':
          // Of a group, others may have more to say.
          if (!request.isDatagram && !isGroup(p.server))
            this.#words.refuse(p, from, responseCodes.responseDiscarded);
          break;
        default:
      }
    }
    record.schedule();
    return isNew;
  }

  /** Sends the response again. True for one that may be made again: the request is as new. */
  #repeat(record: RemoteClient, request: ServedRequest): boolean {
    if (!request.idempotent) {
      this.#kept.repeat(request);
      return false;
    }
    this.#parts.counters.redone++;
    request.state = 'over';
    record.remove(request);
    return true;
  }

  respondAgain(record: RemoteClient, request: ServedRequest): void {
    if (this.#repeat(record, request)) this.deliver(record, request.path, request.message);
  }
}

const verdicts: readonly LocalVerdict[] = ['nobody', 'notAwaiting', 'busy', 'frozen', 'taken'];

/** What a group's request has come to, by its members: the more hope, the better. */
const better = (a: LocalVerdict, b: LocalVerdict): LocalVerdict =>
  verdicts.indexOf(b) > verdicts.indexOf(a) ? b : a;
