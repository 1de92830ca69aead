/** One transaction of a client of this host, from `send` until nothing of it is wanted any more. */
import { WaitQueue } from '@backplane/engine';
import { type EntityId, type HostId, isGroup, MessageFlag, type Response } from '@backplane/slots';
import type { Course } from './dispatch.ts';
import type { Cut } from './procedures.ts';
import { failure, has, type Request } from './request.ts';

export class Transaction implements Course {
  readonly request: Request;
  /** Ends `send`. */
  response: Response | null = null;
  /** Of a group: further ones, for `nextResponse`. */
  readonly further: Response[] = [];
  /** Nothing is wanted any more. */
  over = false;
  /** Who waits for a response waits here. */
  readonly changed: WaitQueue = new WaitQueue();
  /** Where the request is, or may be: the last host to which it went. */
  host: HostId | null = null;
  /** Of a single one: who has it, after all forwards. */
  asked: EntityId;
  /** The client's own doing ended it: who has the request does not know. */
  givenUp = false;
  /** To a group: what goes to everybody. */
  cut: Cut | null = null;
  /** Members that have responded. */
  readonly #heard = new Set<EntityId>();

  constructor(request: Request) {
    this.request = request;
    this.asked = request.to;
  }

  get toGroup(): boolean {
    return isGroup(this.request.to);
  }

  /** Wants responses after the first. */
  get many(): boolean {
    return this.toGroup && has(this.request.message, MessageFlag.manyResponses);
  }

  /** `send` has its outcome. */
  get answered(): boolean {
    return this.response !== null || this.over;
  }

  isOver(): boolean {
    return this.answered;
  }

  goesTo(host: HostId): void {
    this.host = host;
  }

  /** A response of a server. False: it is not wanted. */
  accept(response: Response): boolean {
    if (this.over) return false;
    if (this.response !== null && !this.many) return false;
    if (this.toGroup && this.#heard.has(response.from)) return false;
    this.#heard.add(response.from);
    if (this.response === null) this.response = response;
    else this.further.push(response);
    this.changed.wakeAll();
    return true;
  }

  /** The client ends it before there is a response. */
  giveUp(code: number): void {
    if (this.answered) return;
    this.givenUp = true;
    this.fail(code);
  }

  /** It ends without a server's response. @param untaken as in `Response` */
  fail(code: number, untaken = false): void {
    if (this.answered) return;
    this.response = failure(this.asked, code, untaken);
    this.changed.wakeAll();
  }

  end(): void {
    this.over = true;
    this.changed.wakeAll();
  }
}
