/**
 * Which life of a host is meant. The boot identifier tells the lives of a host apart and rises with each of them; every
 * packet carries its sender's.
 *
 * It is what makes "at most once" hold across a reboot. A server that has lost its memory in a crash cannot know that it has
 * executed a request before, so a request names the life of the server that it is meant for, and no other life executes
 * it. Sprite's header has no word for that, but it has the server hint, which a client only echoes: 24 bits of it hold the
 * life. Sprite itself executes such a request again.
 *
 *   what a host notes about another     from                        what it is for
 *   newest boot identifier              every packet                packets of an older life are dropped; calls are
 *                                                                   addressed to the newest
 *   silent                              a call that got no answer   the next call says hello first
 */
import { CLUSTER_EPOCH_SECONDS } from '@backplane/engine';
import type { HostId } from '@backplane/slots';
import { limits } from './layout.ts';

/** Names a life in 24 bits; never 0, which means "whichever". Equal names are 194 days of boots apart. */
export const lifeOf = (bootId: number): number => (bootId === 0 ? 0 : 1 + (bootId % 0xff_ffff));

/** "No process yet" in the lowest byte of a hint. */
export const noProcess = 0xff;

export const hint = (life: number, process: number): number => life * 0x100 + process;
export const lifeIn = (serverHint: number): number => serverHint >>> 8;
export const processIn = (serverHint: number): number => serverHint & 0xff;

/** An instant by the cluster's clock, as two words: seconds since 1970, and nanoseconds. */
export function instantWords(nowNs: number): Uint8Array {
  const words = new Uint8Array(8);
  const view = new DataView(words.buffer);
  view.setUint32(0, CLUSTER_EPOCH_SECONDS + Math.floor(nowNs / 1e9));
  view.setUint32(4, nowNs % 1e9);
  return words;
}

/** The instant in those words, in nanoseconds of virtual time; infinitely late when they are no instant. */
export function instantIn(words: Uint8Array): number {
  if (words.length !== 8) return Number.POSITIVE_INFINITY;
  const view = new DataView(words.buffer, words.byteOffset, 8);
  return (view.getUint32(0) - CLUSTER_EPOCH_SECONDS) * 1e9 + view.getUint32(4);
}

/** What is known of another host below the host monitor. */
export class Peer {
  readonly host: HostId;
  /** Newest boot identifier in any of its packets; 0: never heard. */
  bootId = 0;
  /** The last call to it got no answer, and nothing has been heard since. */
  silent = false;
  /** How long it wants fragments apart that are sent to it. */
  delayNs = 0;

  constructor(host: HostId) {
    this.host = host;
  }

  /** The life to which a call is addressed now. */
  get life(): number {
    return lifeOf(this.bootId);
  }
}

/** All hosts, by number. */
export class PeerTable {
  readonly #peers: (Peer | undefined)[] = new Array<Peer | undefined>(limits.hosts).fill(undefined);

  of(host: number): Peer {
    let peer = this.#peers[host];
    if (peer === undefined) {
      peer = new Peer(host as HostId); // boundary: numbers are checked where they come off the wire
      this.#peers[host] = peer;
    }
    return peer;
  }
}
