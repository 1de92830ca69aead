/**
 * Slot `recovery`: order across boards after a server's crash and reboot. The content of each pass is its board's
 * own affair.
 *
 * Two triggers: a reboot seen by `transport.peers`, and a `stale` error, which is often the very reply that reveals
 * the reboot and so a reason to wait and try again. Who holds state at a server watches it, else an idle client
 * never learns of the reboot and others wait for its reopen.
 */
import type { Task } from '@backplane/engine';
import type { HostId, Undo, Verdict } from './vocabulary.ts';

/** In this order: naming's prefixes, file handles, streams, then sleepers are woken. */
export const recoveryPasses = ['prefixes', 'handles', 'streams', 'wake'] as const;
export type RecoveryPass = (typeof recoveryPasses)[number];

export interface Recovery {
  /**
   * `reopen` is idempotent and sends what this client has; a handle that fails dies alone. A `peerDown` that it
   * throws means that the server went down again: all passes run anew when it is back.
   */
  register(p: {
    readonly name: string;
    readonly pass: RecoveryPass;
    reopen(server: HostId): Task<void>;
  }): Undo;
  /** After silence or a stale handle: returns when the server is back and reopening is done, or nobody expects it back. */
  await(server: HostId): Task<Verdict>;
  /** Server: may this client open now? False between its first reopen and its "complete". */
  admits(client: HostId, bootId: number): boolean;
}
