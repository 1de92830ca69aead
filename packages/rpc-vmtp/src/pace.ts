/**
 * How far apart the packets of a group come here, smoothed. On a busy network that is far more than their sender wants: each of
 * them waits for its turn. All that hosts expect of each other takes as much longer then, by whatever route, so this is one
 * host's knowledge of its network, and the least that is believed of any round trip.
 *
 * (RFC 1045 begins with ten packet times for the rest of a group and lets hosts refine that, section 2.5.3; how is ours.)
 */
import type { Packet } from './packet.ts';

export class Pace {
  #meanNs = 0;
  #deviationNs = 0;

  /**
   * Another packet of the message comes. One that was asked for tells nothing of the network; one that was not does, even if
   * it came so late that others were: else only what is quick would count.
   * @param apartNs since the one before it; null: that says nothing
   */
  came({ retransmitCount }: Packet, apartNs: number | null): void {
    if (apartNs === null || retransmitCount > 0) return;
    const errorNs = apartNs - this.#meanNs;
    this.#meanNs += Math.round(errorNs / 8);
    this.#deviationNs += Math.round((Math.abs(errorNs) - this.#deviationNs) / 4);
  }

  /** Longer than nearly all of them take: what a packet there and one back are believed to take at least. */
  get roundTripNs(): number {
    return this.#meanNs + 4 * this.#deviationNs;
  }
}
