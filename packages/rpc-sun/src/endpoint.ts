/**
 * UDP over the slot `internet`: messages out of threads, messages in at interrupt level, and what either costs.
 *
 *   sending a message      copy and checksum of its bytes, packetSend; for the frames after the first, the internet board
 *   an arriving message    an interrupt: packetReceive, copy of the last frame's bytes (the internet board has taken the
 *                          fragments before it), checksum of all bytes
 *
 * A checksum covers the destination, and a datagram does not say whether it went to this host or to everybody: both are
 * tried. Where nothing costs anything, messages are dealt with on the spot.
 */
import { charge, settle, type Task, tasks } from '@backplane/engine';
import {
  Busy,
  type Datagram,
  type HostId,
  type Internet,
  type Machine,
  type Processors,
} from '@backplane/slots';
import {
  asIpv4,
  BROADCAST_IPV4,
  decodeUdp,
  encodeUdp,
  IP_PROTOCOLS,
  type Ipv4Address,
  type UdpDatagram,
} from '@backplane/wire';
import type { Counters } from './counters.ts';
import { ports } from './layout.ts';

const network = 0x0a01_0000;
const everybody = 0;
/** Host n of the cluster is 10.1.0.n: the contract of the slot says so. */
const address = (host: HostId): Ipv4Address => (host === everybody ? BROADCAST_IPV4 : asIpv4(network + host));

/** Takes messages by the half that they are for. The sender of a call is known by its host. */
export interface Halves {
  /** From any port; replies go back there. */
  call(message: Uint8Array, from: HostId, port: number): void;
  reply(message: Uint8Array, from: HostId): void;
}

export class Endpoint {
  static {
    tasks(Endpoint);
  }

  readonly #machine: Machine;
  readonly #internet: Internet;
  readonly #processors: Processors;
  readonly #counters: Counters;
  readonly #checksum: boolean;
  readonly #self: Ipv4Address;
  /** For each byte that is sent or arrives. */
  readonly #checksumNsPerByte: number;
  readonly #costsNothing: boolean;
  #halves: Halves | null = null;

  constructor(
    machine: Machine,
    internet: Internet,
    processors: Processors,
    counters: Counters,
    checksum: boolean,
  ) {
    this.#machine = machine;
    this.#internet = internet;
    this.#processors = processors;
    this.#counters = counters;
    this.#checksum = checksum;
    this.#self = address(machine.host);
    const { costs } = machine.type;
    this.#checksumNsPerByte = checksum ? costs.checksumNsPerByte : 0;
    this.#costsNothing = costs.packetReceiveNs + costs.copyNsPerByte + this.#checksumNsPerByte === 0;
  }

  connect(halves: Halves): void {
    this.#halves = halves;
    this.#internet.receive(IP_PROTOCOLS.udp, (datagram, packets) => this.#arrived(datagram, packets));
  }

  /** Sends a message. What the thread has accrued is paid before. Lost if nobody knows where the host is. */
  *send(to: HostId, sourcePort: number, destinationPort: number, message: Uint8Array): Task<void> {
    const { costs } = this.#machine.type;
    const perByteNs = costs.copyNsPerByte + this.#checksumNsPerByte;
    const ns = costs.packetSendNs + Math.round(perByteNs * message.length);
    if (ns > 0) charge(ns, Busy.network);
    yield* settle();
    const datagram = encodeUdp(
      { sourcePort, destinationPort, payload: message },
      { source: this.#self, destination: address(to) },
      { checksum: this.#checksum },
    );
    this.#counters.sentPackets += this.#packets(datagram.length);
    yield* this.#internet.send(IP_PROTOCOLS.udp, to, [datagram]);
  }

  #arrived(datagram: Datagram, packets: number): void {
    this.#counters.receivedPackets += packets;
    if (this.#costsNothing) this.#take(datagram);
    else {
      const ns = this.#costNs(datagram.payload.length, packets);
      this.#processors.interrupt(ns, Busy.network, () => this.#take(datagram));
    }
  }

  #costNs(sizeBytes: number, packets: number): number {
    const { packetReceiveNs, copyNsPerByte } = this.#machine.type.costs;
    const lastBytes = Math.max(0, sizeBytes - (packets - 1) * this.#fragmentBytes);
    return packetReceiveNs + Math.round(copyNsPerByte * lastBytes + this.#checksumNsPerByte * sizeBytes);
  }

  #take({ from, payload }: Datagram): void {
    const source = address(from);
    const udp: UdpDatagram | undefined =
      decodeUdp(payload, { source, destination: this.#self }) ??
      decodeUdp(payload, { source, destination: BROADCAST_IPV4 });
    const halves = this.#halves;
    if (udp === undefined || halves === null) this.#counters.malformed++;
    else if (udp.destinationPort === ports.server) halves.call(udp.payload, from, udp.sourcePort);
    else if (udp.destinationPort === ports.client) halves.reply(udp.payload, from);
    else this.#counters.malformed++;
  }

  /** Link frames for a datagram of so many bytes. */
  #packets(sizeBytes: number): number {
    return sizeBytes <= this.#internet.unfragmentedBytes ? 1 : Math.ceil(sizeBytes / this.#fragmentBytes);
  }

  /** What a fragment carries that is not the last. */
  get #fragmentBytes(): number {
    return this.#internet.unfragmentedBytes - (this.#internet.unfragmentedBytes % 8);
  }
}
