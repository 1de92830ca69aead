/** What the parts of a host's servers have in common. */
import type { EntityId, Machine } from '@backplane/slots';
import type { Carrier } from './carrier.ts';
import type { ClientRecords } from './client-records.ts';
import type { Counters } from './counters.ts';
import type { EntityServices } from './entity-services.ts';
import type { Finder } from './finder.ts';
import type { Notices } from './notices.ts';
import type { Output } from './output.ts';
import type { Residents } from './residents.ts';
import type { Routes } from './routes.ts';

export interface ServerParts {
  readonly machine: Machine;
  readonly carrier: Carrier;
  readonly output: Output;
  readonly routes: Routes;
  readonly notices: Notices;
  readonly residents: Residents;
  readonly counters: Counters;
  /** In whose name the host says something about a group's request. */
  readonly manager: EntityId;
  /** The entity's record as a client, if it is here. */
  readonly clients: ClientRecords;
  readonly finder: () => Finder;
  readonly services: EntityServices;
  /** Takes runs of messages. */
  readonly streaming: boolean;
}
