/**
 * What arrives: the interrupt that it costs, the checks that every packet passes, and which half of the transport gets it.
 *
 *   a packet costs                                          at interrupt level
 *   packetReceive                                           one that completes a message, as far as its flags tell, an
 *                                                           acknowledgement, and one that is none of ours
 *   fragmentReceive                                         one in the middle of a message
 *   + copy for each byte of its areas                       out of the interface's buffers
 *   + hostMonitor                                           a request or reply that completes a message: the monitor
 *                                                           hears whole messages, so its cost comes once for each
 *
 * A packet is one link frame; of one that the internet board has put together from several, that board has taken those
 * before the last.
 *
 * Where none of it costs anything, packets are dealt with on the spot.
 */
import { Busy, type Frame, type Machine, type Processors } from '@backplane/slots';
import type { Carrier } from './carrier.ts';
import type { Client } from './client.ts';
import type { Counters } from './counters.ts';
import { everybody, flags, limits, types } from './layout.ts';
import type { PeerTable } from './lives.ts';
import { Packet } from './packet.ts';
import type { Servers } from './servers.ts';

/** Senders of another version that are remembered, so that each is told of once. */
const strangersMax = 4;
/** No receiver gets more than that between two fragments, whatever it asks for. */
const delayMaxUs = 10_000;

export interface Halves {
  readonly carrier: Carrier;
  readonly client: Client;
  readonly servers: Servers;
}

export class Arrivals {
  readonly #machine: Machine;
  readonly #processors: Processors;
  readonly #peers: PeerTable;
  readonly #counters: Counters;
  readonly #hostMonitorNs: number;
  readonly #costsNothing: boolean;
  readonly #packet: Packet = new Packet();
  readonly #strangers = new Set<number>();
  #halves: Halves | null = null;

  constructor(
    machine: Machine,
    processors: Processors,
    peers: PeerTable,
    counters: Counters,
    hostMonitor: boolean,
  ) {
    this.#machine = machine;
    this.#processors = processors;
    this.#peers = peers;
    this.#counters = counters;
    const { costs } = machine.type;
    this.#hostMonitorNs = hostMonitor ? costs.hostMonitorNs : 0;
    this.#costsNothing =
      costs.packetReceiveNs === 0 &&
      costs.fragmentReceiveNs === 0 &&
      costs.copyNsPerByte === 0 &&
      this.#hostMonitorNs === 0;
  }

  /** Who gets the packets. */
  connect(halves: Halves): void {
    this.#halves = halves;
  }

  arrived(frame: Frame, sender: number, lastBytes: number): void {
    if (this.#costsNothing) this.#take(frame, sender);
    else {
      const ns = this.#costNs(frame, lastBytes);
      this.#processors.interrupt(ns, Busy.network, () => this.#take(frame, sender));
    }
  }

  #costNs(frame: Frame, lastBytes: number): number {
    const { packetReceiveNs, fragmentReceiveNs, copyNsPerByte } = this.#machine.type.costs;
    const p = this.#packet;
    if (p.read(frame) !== 'packet') return packetReceiveNs;
    const copyNs = Math.round(copyNsPerByte * Math.min(lastBytes, p.parameters.length + p.data.length));
    if (p.fragments !== 0 && (p.flags & flags.lastFragment) === 0) return fragmentReceiveNs + copyNs;
    const heard = (p.flags & (types.request | types.reply)) !== 0;
    return packetReceiveNs + copyNs + (heard ? this.#hostMonitorNs : 0);
  }

  #take(frame: Frame, sender: number): void {
    const p = this.#packet;
    this.#counters.receivedPackets++;
    const verdict = p.read(frame);
    if (verdict === 'malformed') this.#counters.malformed++;
    else if (verdict === 'version') this.#stranger(sender);
    else {
      this.#deal(p, sender);
      p.release();
    }
  }

  #deal(p: Packet, sender: number): void {
    const { carrier, client, servers } = this.#halves as Halves; // boundary: connected before the first packet
    const { host } = this.#machine;
    const toServer = (p.flags & flags.toServer) !== 0;
    // A client that does not know its own number yet: the sender's place tells it.
    if (toServer && p.clientId === 0) p.clientId = carrier.hostAt(sender);
    const from = toServer ? p.clientId : p.serverId;
    const to = toServer ? p.serverId : p.clientId;
    if (
      from === everybody ||
      from >= limits.hosts ||
      from === host ||
      (to !== host && !(toServer && to === everybody))
    ) {
      this.#counters.malformed++;
      return;
    }
    const peer = this.#peers.of(from);
    if (p.bootId !== 0) {
      if (p.bootId < peer.bootId) {
        this.#counters.stale++;
        return;
      }
      if (p.bootId > peer.bootId) {
        if (peer.bootId !== 0) servers.forget(from);
        peer.bootId = p.bootId;
      }
    }
    peer.silent = false;
    peer.delayNs = Math.min(p.delayUs, delayMaxUs) * 1000;
    carrier.learn(from, sender);
    if (toServer) servers.arrive(p);
    else client.arrive(p);
  }

  #stranger(sender: number): void {
    this.#counters.wrongVersion++;
    if (this.#strangers.size === strangersMax || this.#strangers.has(sender)) return;
    this.#strangers.add(sender);
    const { engine, scope } = this.#machine;
    if (engine.trace.on) engine.trace.emit('rpc.wrongVersion', scope, { sender });
  }
}
