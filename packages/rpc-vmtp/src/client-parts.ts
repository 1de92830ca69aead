/** What the two halves of a host's clients have in common: the record of an entity, and its present transaction. */
import type { EntityId, Machine, Message, MessagePriority } from '@backplane/slots';
import type { Carrier, Place } from './carrier.ts';
import type { Counters } from './counters.ts';
import type { Finder } from './finder.ts';
import type { Notices } from './notices.ts';
import type { Output } from './output.ts';
import type { Residents } from './residents.ts';
import type { Route, Routes } from './routes.ts';

/** What became of a request that was handed over on this host. */
export type LocalVerdict = 'taken' | 'notAwaiting' | 'busy' | 'frozen' | 'nobody';

export interface LocalRequest {
  readonly client: EntityId;
  readonly to: EntityId;
  readonly transaction: number;
  readonly priority: MessagePriority;
  readonly message: Message;
}

/** The server's half, for entities of the same host. */
export interface LocalServers {
  deliver(request: LocalRequest): LocalVerdict;
  /** Is a request of the client with an entity of this host, and not yet answered? */
  workFor(client: EntityId): boolean;
  /** The client asks again for what is not on this host any more, or nobody will respond to. */
  repeat(client: EntityId): void;
  /** The client does not wait any more. */
  abandon(client: EntityId): void;
}

export interface ClientParts {
  readonly machine: Machine;
  readonly carrier: Carrier;
  readonly output: Output;
  readonly routes: Routes;
  readonly notices: Notices;
  readonly residents: Residents;
  readonly counters: Counters;
  readonly servers: () => LocalServers;
  readonly finder: () => Finder;
  /** Issues runs of messages. */
  readonly streaming: boolean;
}

export interface TransactOptions {
  readonly priority?: MessagePriority;
  readonly timeoutNs?: number;
  /** The request, or its response, may be a run. */
  readonly runs?: boolean;
  /** How it is sent, if that is known; else the client finds out. */
  readonly route?: Route | undefined;
  /** That leads to a group's place. */
  readonly multicast?: boolean;
  /** It is there or nowhere: nobody is asked about it. */
  readonly settled?: boolean;
  /** Silences in a row before it gives up. */
  readonly retries?: number;
  /** Processor time of the client's side, if the request leaves this host. */
  readonly pathNs?: number;
  /** The transaction that was under way when the entity came here. */
  readonly again?: boolean;
}

/** A response, or the outcome that stands for one; with the place where it came from. */
export interface Ending {
  readonly from: EntityId;
  readonly message: Message;
  readonly place: Place | undefined;
  /** As in `Response`. */
  readonly untaken?: boolean;
}
