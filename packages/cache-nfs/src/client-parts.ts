/** What the parts of the client's half share. */
import { type Task, task } from '@backplane/engine';
import type { OwnCalls } from '@backplane/file-service';
import {
  type BlockCache,
  type HostId,
  isKernelError,
  type Machine,
  type Procedure,
  type Streams,
  type Transport,
} from '@backplane/slots';
import type { Counters } from './counters.ts';
import type { TrustBounds } from './trust.ts';

export interface ClientParts {
  readonly machine: Machine;
  readonly transport: Transport;
  /** Calls to others, and to this host's own server half. */
  readonly calls: OwnCalls;
  readonly blockCache: BlockCache;
  readonly streams: Streams;
  readonly counters: Counters;
  readonly trust: TrustBounds;
  /** Bytes that one read or write asks for; a whole number of blocks. */
  readonly transferBytes: number;
  readonly closeToOpen: boolean;
  readonly nameCache: boolean;
  /** When written blocks leave that are not full transfers. */
  readonly delayNs: number;
  /** Files whose attributes and blocks are kept while nobody has them open. */
  readonly filesMax: number;
  readonly daemons: { free: number };
}

/**
 * A call that is repeated until the server answers: a hard mount.
 *
 * @param repeated is told when a server that was silent may have done it already
 */
export const persist: <Q, R>(
  parts: ClientParts,
  server: HostId,
  procedure: Procedure<Q, R>,
  request: NoInfer<Q>,
  repeated?: () => void,
) => Task<R> = /* @__PURE__ */ task(function* persist<Q, R>(
  parts: ClientParts,
  server: HostId,
  procedure: Procedure<Q, R>,
  request: NoInfer<Q>,
  repeated?: () => void,
): Task<R> {
  for (;;) {
    try {
      return yield* parts.calls.call(server, procedure, request);
    } catch (e) {
      if (!isKernelError(e, 'peerDown')) throw e;
      repeated?.();
      parts.counters.waits++;
      yield* parts.transport.peers.awaitAlive(server);
    }
  }
});
