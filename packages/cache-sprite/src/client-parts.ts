/** What the parts of the client's half have in common. */
import type { OwnCalls } from '@backplane/file-service';
import type { Aside, BlockCache, Machine, Streams, Transport } from '@backplane/slots';
import type { Counters } from './counters.ts';
import type { WritePolicy } from './policy.ts';
import type { Servers } from './servers.ts';

export interface ClientParts {
  readonly machine: Machine;
  readonly transport: Transport;
  readonly calls: OwnCalls;
  readonly streams: Streams;
  readonly blockCache: BlockCache;
  /** Copies of dirty blocks that survive crashes of this machine, if it has a memory for them. */
  readonly aside: Aside | null;
  readonly servers: Servers;
  readonly policy: WritePolicy;
  readonly counters: Counters;
  /** Bytes that one call carries. */
  readonly unitBytes: number;
}
