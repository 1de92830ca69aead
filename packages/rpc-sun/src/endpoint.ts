/**
 * UDP over the slot `internet`: messages out of threads, messages in at interrupt level, and what either costs.
 *
 *   sending a message      copy and checksum of its bytes, packetSend of its first frame
 *   an arriving message    an interrupt: packetReceive and copy of the frame that completes it, checksum of all bytes
 *
 * Further frames are the internet board's to charge (see the contract of its slot).
 *
 * Where nothing costs anything, messages are dealt with on the spot.
 */
import { charge, settle, type Task, tasks } from '@backplane/engine';
import {
  Busy,
  type Datagram,
  type HostId,
  type Internet,
  internetAddress,
  type Machine,
  type Processors,
} from '@backplane/slots';
import { decodeUdp, encodeUdp, fragmentCount, IP_PROTOCOLS, type Ipv4Address } from '@backplane/wire';
import type { Counters } from './counters.ts';
import { ports } from './layout.ts';

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
    this.#self = internetAddress(machine.host);
    const { costs } = machine.type;
    this.#checksumNsPerByte = checksum ? costs.checksumNsPerByte : 0;
    this.#costsNothing = costs.packetReceiveNs + costs.copyNsPerByte + this.#checksumNsPerByte === 0;
  }

  connect(halves: Halves): void {
    this.#halves = halves;
    this.#internet.receive(IP_PROTOCOLS.udp, (datagram) => this.#arrived(datagram));
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
      { source: this.#self, destination: internetAddress(to) },
      { checksum: this.#checksum },
    );
    this.#counters.sentPackets += fragmentCount(datagram.length, this.#internet.unfragmentedBytes);
    yield* this.#internet.send(IP_PROTOCOLS.udp, to, [datagram]);
  }

  #arrived(datagram: Datagram): void {
    this.#counters.receivedPackets += datagram.packets;
    if (this.#costsNothing) this.#take(datagram);
    else this.#processors.interrupt(this.#costNs(datagram), Busy.network, () => this.#take(datagram));
  }

  #costNs({ payload, completingBytes }: Datagram): number {
    const { packetReceiveNs, copyNsPerByte } = this.#machine.type.costs;
    const bytesNs = copyNsPerByte * completingBytes + this.#checksumNsPerByte * payload.length;
    return packetReceiveNs + Math.round(bytesNs);
  }

  #take({ from, to, payload }: Datagram): void {
    const udp = decodeUdp(payload, { source: internetAddress(from), destination: internetAddress(to) });
    const halves = this.#halves;
    if (udp === undefined || halves === null) this.#counters.malformed++;
    else if (udp.destinationPort === ports.server) halves.call(udp.payload, from, udp.sourcePort);
    else if (udp.destinationPort === ports.client) halves.reply(udp.payload, from);
    else this.#counters.malformed++;
  }
}
