import { WaitQueue } from '@backplane/engine';
import {
  type EntityId,
  isGroup,
  type Message,
  MessageFlag,
  type MessagePriority,
  normalPriority,
  type Response,
  type SendOptions,
} from '../entities.ts';
import { flagsOf } from '../message.ts';
import type { CarriedRequest } from './carried-request.ts';
import type { EntityNet } from './entity-net.ts';

/** One transaction, wherever its client is. */
export class Transaction {
  readonly client: EntityId;
  readonly to: EntityId;
  readonly toGroup: boolean;
  /** No response is wanted. */
  readonly isDatagram: boolean;
  readonly priority: MessagePriority;
  /** There are responses, or its client goes to another host or begins another one. */
  readonly changed: WaitQueue = new WaitQueue();
  /** Not yet fetched. */
  readonly responses: Response[] = [];
  readonly requests: CarriedRequest[] = [];
  answered = false;
  /** Its client waits no more. */
  over = false;
  readonly #net: EntityNet;

  constructor(net: EntityNet, client: EntityId, to: EntityId, m: Message, o: SendOptions) {
    this.#net = net;
    this.client = client;
    this.to = to;
    this.toGroup = isGroup(to);
    this.isDatagram = (flagsOf(m) & MessageFlag.datagram) !== 0;
    this.priority = o.priority ?? normalPriority;
  }

  get wanted(): boolean {
    return !this.over && this.#net.lives(this.client);
  }

  /** Somebody may still answer. */
  get hopeful(): boolean {
    return this.requests.some((r) => r.hopeful);
  }

  answer(response: Response): void {
    if (!this.wanted || this.isDatagram || (this.answered && !this.toGroup)) return;
    this.answered = true;
    this.responses.push(response);
    this.changed.wakeAll();
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    this.#net.later(() => {
      for (const request of this.requests) request.abandon();
    });
  }
}
