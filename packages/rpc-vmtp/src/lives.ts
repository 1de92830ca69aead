/**
 * Which life of a host is meant. Its boot identifier tells the lives of a host apart and rises with each of them; requests and
 * responses of kernels carry their sender's.
 *
 * It is what makes "at most once" hold across a reboot. V gives a server of the next life another entity number, so that what
 * was meant for the one before finds nobody. A kernel's number is the same in all lives, since its peers must know it without
 * asking; so a request names the life of the kernel that it is meant for, and no other life executes it.
 */
import { CLUSTER_EPOCH_SECONDS } from '@backplane/engine';
import type { EntityId, HostId } from '@backplane/slots';
import { kernelEntity } from './kernel-messages.ts';
import type { Route } from './routes.ts';

/** "Whichever life": of calls that may be executed twice. */
export const anyLife = 0;

/** An instant by the cluster's clock, as two words: seconds since 1970, and nanoseconds. */
export const instantWords = (nowNs: number): readonly [number, number] => [
  CLUSTER_EPOCH_SECONDS + Math.floor(nowNs / 1e9),
  nowNs % 1e9,
];

/** In nanoseconds of virtual time. */
export const instantOf = (seconds: number, nanoseconds: number): number =>
  (seconds - CLUSTER_EPOCH_SECONDS) * 1e9 + nanoseconds;

/** What a kernel knows of another one. */
export class Peer {
  readonly host: HostId;
  /** The kernel, as it is addressed. */
  readonly entity: EntityId;
  /** Newest boot identifier in any of its messages; 0: never heard. */
  bootId = 0;
  /** The last call to it got no answer, and nothing has been heard since. */
  silent = false;
  /** To where its last response came from; undefined: it fell silent, or has never been called. */
  route: Route | undefined = undefined;

  constructor(host: HostId) {
    this.host = host;
    this.entity = kernelEntity(host);
  }
}

export class PeerTable {
  /** By host. */
  readonly #peers: Peer[] = [];

  of(host: HostId): Peer {
    this.#peers[host] ??= new Peer(host);
    return this.#peers[host];
  }
}
