/**
 * What a host notes about another, by number: which life it lives, and what calls to it need.
 *
 * The boot identifier tells the lives of a host apart and rises with each of them. A request carries its sender's in the
 * credential, a reply both in its verifier.
 */
import { CLUSTER_EPOCH_SECONDS } from '@backplane/engine';
import type { HostId } from '@backplane/slots';
import { shortAuth } from './credentials.ts';
import { programs, type ShortHand } from './layout.ts';

/** Calls that one life makes while the clock moves on by a second: what lies between the first xids of two lives. */
const xidsPerSecond = 0x4000;

/** Room for the xids of one server before they meet those of the next. */
const xidsPerServer = 0x40_0000;

/**
 * The last xid before those of a life to a server, or before those of its questions to everybody: so a server knows where a
 * client's xids begin, and a reply fits one request only.
 */
export const xidBefore = (bootId: number, program: number, server: HostId): number => {
  const apart = program === programs.questions ? 0x8000_0000 : server * xidsPerServer;
  return (Math.imul(bootId, xidsPerSecond) + apart) >>> 0;
};

/** How far `xid` lies behind `than` as a serial number, which wraps; negative when it lies before it. */
export const xidDistance = (xid: number, than: number): number => (xid - than) | 0;

export class Peer {
  readonly host: HostId;
  /** Newest boot identifier in any of its messages; 0: never heard. */
  bootId = 0;
  /** When that life began; known once a reply of it has come. */
  bootedNs = 0;
  /** The short hand that this life has given us, as a credential; null until then. */
  credential: Uint8Array | null = null;
  /** It did not answer, and has not been heard since. */
  silent = false;
  /** Of the last call to it. */
  #xid: number;
  /** The short hand that we give it: for which life, and as a verifier. */
  #givenFor = 0;
  #given: Uint8Array | null = null;

  constructor(host: HostId, selfBootId: number) {
    this.host = host;
    this.#xid = xidBefore(selfBootId, programs.calls, host);
  }

  nextXid(): number {
    this.#xid = (this.#xid + 1) >>> 0;
    return this.#xid;
  }

  /** The verifier of replies to this life of it. */
  verifier(self: Self): Uint8Array {
    if (this.#given === null || this.#givenFor !== this.bootId) {
      this.#givenFor = this.bootId;
      this.#given = shortAuth({ ...self.hand, client: this.host, clientBoot: this.bootId });
    }
    return this.#given;
  }
}

/** This host's own life, as it tells others. */
export class Self {
  readonly host: HostId;
  readonly bootId: number;
  readonly hand: Omit<ShortHand, 'client' | 'clientBoot'>;

  constructor(host: HostId, bootId: number, bootNs: number) {
    this.host = host;
    this.bootId = bootId;
    this.hand = {
      serverBoot: bootId,
      bootedSeconds: CLUSTER_EPOCH_SECONDS + Math.floor(bootNs / 1e9),
      bootedNanoseconds: bootNs % 1e9,
    };
  }
}

/** The instant at which the server's life began, in nanoseconds of virtual time. */
export const bootedNs = ({ bootedSeconds, bootedNanoseconds }: ShortHand): number =>
  (bootedSeconds - CLUSTER_EPOCH_SECONDS) * 1e9 + bootedNanoseconds;

export class PeerTable {
  readonly #peers = new Map<HostId, Peer>();
  readonly #selfBootId: number;

  constructor(selfBootId: number) {
    this.#selfBootId = selfBootId;
  }

  of(host: HostId): Peer {
    let peer = this.#peers.get(host);
    if (peer === undefined) {
      peer = new Peer(host, this.#selfBootId);
      this.#peers.set(host, peer);
    }
    return peer;
  }
}
