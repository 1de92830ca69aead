/**
 * The internet protocol of a host on one segment (RFC 791; what a host checks: RFC 1122, section 3.2.1). It neither forwards
 * nor sends control messages.
 *
 *   event                                 action
 *   send                                  locate the host, cut to the link's frames, queue each
 *   send, host not found                  count; nothing else happens
 *   a frame that is no sound datagram     count as malformed
 *   a datagram for another address        count as astray
 *   a fragment                            keep it; arm the timer for the oldest gathering
 *   a datagram that is whole              hand it to who receives its protocol; count when nobody does
 *   the timer                             give up the datagrams whose time is over
 *
 * Who pays for what is in the contract of the slot.
 *
 * Identifications start from a place that the boot identifier gives, so that fragments of an earlier life are not joined
 * with those of this one.
 *
 * Lost in a crash: everything. Fragments that are under way find nobody who gathers them.
 */
import { charge, settle, type Task, Timer, tasks } from '@backplane/engine';
import {
  Busy,
  broadcastAddress,
  type Datagram,
  Frame,
  type HostId,
  hostId,
  type Internet,
  internetAddress,
  internetHost,
  isKernelError,
  type Locator,
  type Machine,
  type Nic,
  type Processors,
  type StationAddress,
  type Undo,
} from '@backplane/slots';
import {
  BROADCAST_IPV4,
  decodeIpv4,
  ETHER_TYPES,
  encodeIpv4,
  fragmentCount,
  fragmentIpv4,
  IPV4,
  type Ipv4Address,
  type Ipv4Datagram,
  Ipv4Reassembly,
} from '@backplane/wire';
import { Counters } from './counters.ts';
import { datagramTooLarge, protocolTaken } from './errors.ts';

export interface ReassemblyPolicy {
  readonly reassemblyNs: number;
  readonly datagramsMax: number;
}

type Handler = (datagram: Datagram) => void;

export class InternetProtocol implements Internet {
  static {
    tasks(InternetProtocol);
  }

  readonly unfragmentedBytes: number;
  readonly #machine: Machine;
  readonly #nic: Nic;
  readonly #locator: Locator;
  readonly #processors: Processors;
  readonly #address: Ipv4Address;
  readonly #reassemblyNs: number;
  readonly #reassembly: Ipv4Reassembly;
  readonly #expiry: Timer;
  readonly #handlers = new Map<number, Handler>();
  readonly #counters: Counters;
  readonly #headerChecksumNs: number;
  readonly #costsNothing: boolean;
  #identification: number;

  constructor(
    machine: Machine,
    nic: Nic,
    locator: Locator,
    processors: Processors,
    policy: ReassemblyPolicy,
  ) {
    this.#machine = machine;
    this.#nic = nic;
    this.#locator = locator;
    this.#processors = processors;
    this.#address = internetAddress(machine.host);
    this.unfragmentedBytes = nic.mtuBytes - IPV4.headerBytes;
    this.#reassemblyNs = policy.reassemblyNs;
    this.#reassembly = new Ipv4Reassembly({ datagramsMax: policy.datagramsMax });
    this.#counters = new Counters(this.#reassembly.counts);
    this.#counters.register(machine);
    this.#expiry = new Timer(machine.scope, 'ip reassembly', () => this.#expire());
    const { checksumNsPerByte, packetReceiveNs, fragmentReceiveNs, copyNsPerByte } = machine.type.costs;
    this.#headerChecksumNs = Math.round(checksumNsPerByte * IPV4.headerBytes);
    this.#costsNothing = packetReceiveNs + fragmentReceiveNs + copyNsPerByte + checksumNsPerByte === 0;
    this.#identification = Math.imul(machine.bootId, spread) & 0xffff;
    nic.receive(ETHER_TYPES.ipv4, (frame) => this.#arrive(frame));
  }

  // ---- sending ----

  *send(protocol: number, to: HostId, parts: readonly Uint8Array[]): Task<void> {
    const station = to === 0 ? broadcastAddress : yield* this.#locate(to);
    if (station === undefined) {
      this.#counters.unreachable++;
      return;
    }
    const payload = new Frame(0, 0, 0, parts).payload();
    if (payload.length > payloadBytesMax)
      throw datagramTooLarge(this.#machine.name, protocol, payload.length);
    this.#counters.sent++;
    this.#identification = (this.#identification + 1) & 0xffff;
    const pieces = fragmentIpv4(
      {
        source: this.#address,
        destination: internetAddress(to),
        protocol,
        identification: this.#identification,
        payload,
      },
      this.#nic.mtuBytes,
    );
    if (pieces !== undefined) yield* this.#transmit(station, pieces);
  }

  *#transmit(station: StationAddress, pieces: readonly Ipv4Datagram[]): Task<void> {
    const { packetSendNs } = this.#machine.type.costs;
    if (pieces.length > 1) this.#counters.fragmented++;
    let ns = this.#headerChecksumNs;
    for (const piece of pieces) {
      if (ns > 0) charge(ns, Busy.network);
      yield* settle();
      this.#counters.sentPackets++;
      this.#nic.send(new Frame(station, this.#nic.address, ETHER_TYPES.ipv4, [encodeIpv4(piece)]));
      ns = packetSendNs + this.#headerChecksumNs;
    }
  }

  *#locate(to: HostId): Task<StationAddress | undefined> {
    const known = this.#locator.known(to);
    if (known !== undefined) return known;
    try {
      return yield* this.#locator.locate(to);
    } catch (e) {
      if (!isKernelError(e, 'peerDown')) throw e;
      return undefined;
    }
  }

  // ---- receiving ----

  receive(protocol: number, handler: Handler): Undo {
    if (this.#handlers.has(protocol)) throw protocolTaken(this.#machine.name, protocol);
    this.#handlers.set(protocol, handler);
    return () => {
      if (this.#handlers.get(protocol) === handler) this.#handlers.delete(protocol);
    };
  }

  #arrive(frame: Frame): void {
    const counters = this.#counters;
    counters.receivedPackets++;
    const piece = decodeIpv4(frame.payload());
    const from = piece === undefined ? undefined : internetHost(piece.source);
    if (piece === undefined || from === undefined || from === this.#machine.host) {
      counters.malformed++;
      this.#drop();
      return;
    }
    if (piece.destination !== this.#address && piece.destination !== BROADCAST_IPV4) {
      counters.astray++;
      this.#drop();
      return;
    }
    this.#locator.learn(from, frame.source);
    const { nowNs } = this.#machine.engine;
    const whole = this.#reassembly.accept(piece, nowNs + this.#reassemblyNs);
    if (whole === undefined) this.#keep(piece);
    else this.#deliver(whole, from, piece.payload.length);
  }

  #deliver({ protocol, destination, payload }: Ipv4Datagram, from: HostId, completingBytes: number): void {
    const handler = this.#handlers.get(protocol);
    if (handler === undefined) {
      this.#counters.unclaimed++;
      this.#drop();
      return;
    }
    this.#counters.received++;
    const to = destination === this.#address ? this.#machine.host : everybody;
    const packets = fragmentCount(payload.length, this.unfragmentedBytes);
    handler({ from, to, payload, packets, completingBytes });
  }

  /** A fragment that leaves its datagram incomplete. */
  #keep({ payload }: Ipv4Datagram): void {
    const deadlineNs = this.#reassembly.nextDeadlineNs;
    if (deadlineNs !== undefined && !this.#expiry.armed) this.#expiry.setAt(deadlineNs);
    const { fragmentReceiveNs, copyNsPerByte } = this.#machine.type.costs;
    this.#interrupt(fragmentReceiveNs + Math.round(copyNsPerByte * payload.length));
  }

  #drop(): void {
    this.#interrupt(this.#machine.type.costs.packetReceiveNs);
  }

  #interrupt(ns: number): void {
    if (!this.#costsNothing) this.#processors.interrupt(ns + this.#headerChecksumNs, Busy.network, () => {});
  }

  #expire(): void {
    this.#reassembly.expire(this.#machine.engine.nowNs);
    const deadlineNs = this.#reassembly.nextDeadlineNs;
    if (deadlineNs !== undefined) this.#expiry.setAt(deadlineNs);
  }
}

/** 2^16 by the golden ratio: identifiers that follow one another come to lie far apart (Knuth, volume 3, section 6.4). */
const spread = 40_503;
const everybody = hostId(0);
const payloadBytesMax = IPV4.datagramBytesMax - IPV4.headerBytes;
