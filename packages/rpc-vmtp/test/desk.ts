/** A service for tests: notes what arrives, and answers as it is told. */
import type { Task } from '@backplane/engine';
import {
  type ArrivedRequest,
  type Delivery,
  type EntityId,
  type EntityService,
  type Message,
  message,
  ReplyCode,
} from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import type { Host } from './world.ts';

export type Clerk = (request: ArrivedRequest) => Task<void>;

/** Responds with the request's own words and segment. */
export const echo: Clerk = function* (request) {
  yield* request.respond(echoed(request.message));
};

export const echoed = ({ segment }: Message, flags = 0): Message =>
  message({ code: ReplyCode.ok, flags, segment });

export class Desk implements EntityService {
  readonly host: Host;
  readonly entity: EntityId;
  readonly arrivals: ArrivedRequest[] = [];
  readonly abandonments: ArrivedRequest[] = [];
  /** What is said of the next requests. */
  verdict: Delivery = 'taken';
  readonly leave: () => void;
  readonly #clerk: Clerk;

  constructor(host: Host, clerk: Clerk = echo, entity: EntityId = host.entities.mint()) {
    this.host = host;
    this.entity = entity;
    this.#clerk = clerk;
    this.leave = host.entities.attach(entity, this);
  }

  arrived(request: ArrivedRequest): Delivery {
    if (this.verdict === 'taken') {
      this.arrivals.push(request);
      this.host.spawn('clerk', this.#clerk(request));
    }
    return this.verdict;
  }

  abandoned(request: ArrivedRequest): void {
    this.abandonments.push(request);
  }
}

/** An entity that only asks. */
export const asks = (host: Host, entity?: EntityId): EntityId => new Desk(host, echo, entity).entity;

export const question = (bytes: number, flags = 0, code = 42): Message =>
  message({ code, flags, segment: pattern(bytes, bytes) });
