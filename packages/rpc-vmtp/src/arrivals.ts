/**
 * What arrives: the interrupt that it costs, the checks that every packet passes, and who gets it.
 *
 *   a packet costs               at interrupt level
 *   packetReceive                one that is its message's only or last one, one without data, and one that is none of ours
 *   fragmentReceive              any other
 *   + copy for each data byte    out of the interface's buffers, to where the message is put together
 *   + checksum for each byte     where checksums are computed
 *
 * Whether a packet is the last one is told by its blocks: they are sent in order. Of a datagram that the internet board has
 * put together from several frames, that board has taken those before the last.
 *
 * Where none of it costs anything, packets are dealt with on the spot.
 */
import {
  Busy,
  type EntityId,
  type Frame,
  type Machine,
  type Message,
  normalPriority,
  type Processors,
} from '@backplane/slots';
import type { Place, Receiver } from './carrier.ts';
import type { ClientRecords } from './client-records.ts';
import { responseCodes } from './codes.ts';
import type { Counters } from './counters.ts';
import type { EntityBlocks } from './entity-blocks.ts';
import { headingBytes, vmtpHeader } from './layout.ts';
import { probeEntityBlock } from './management.ts';
import type { Manager } from './manager.ts';
import type { Notices } from './notices.ts';
import { Packet } from './packet.ts';
import type { Residents } from './residents.ts';
import type { Routes } from './routes.ts';
import { isStreamed, positionOf, standAlone } from './runs.ts';
import type { Servers } from './servers.ts';

export interface Takers {
  readonly manager: Manager;
  readonly managerEntity: EntityId;
  readonly servers: Servers;
  readonly clients: ClientRecords;
  readonly routes: Routes;
  readonly residents: Residents;
  readonly notices: Notices;
  readonly blocks: EntityBlocks;
}

/** Of all hosts in the process: who has read a packet is done with it before the next one comes, anywhere. */
const packet: Packet = /* @__PURE__ */ new Packet();

export class Arrivals implements Receiver {
  readonly #machine: Machine;
  readonly #processors: Processors;
  readonly #counters: Counters;
  readonly #checksumNsPerByte: number;
  readonly #costsNothing: boolean;
  #takers: Takers | null = null;

  constructor(machine: Machine, processors: Processors, counters: Counters, checksum: boolean) {
    this.#machine = machine;
    this.#processors = processors;
    this.#counters = counters;
    const { packetReceiveNs, fragmentReceiveNs, copyNsPerByte, checksumNsPerByte } = machine.type.costs;
    this.#checksumNsPerByte = checksum ? checksumNsPerByte : 0;
    this.#costsNothing = packetReceiveNs + fragmentReceiveNs + copyNsPerByte + this.#checksumNsPerByte === 0;
  }

  /** Who gets the packets. */
  connect(takers: Takers): void {
    this.#takers = takers;
  }

  arrived(frame: Frame, from: Place, lastBytes: number): void {
    if (this.#costsNothing) this.#take(frame, from);
    else {
      const ns = this.#costNs(frame, lastBytes);
      this.#processors.interrupt(ns, Busy.network, () => this.#take(frame, from));
    }
  }

  #costNs(frame: Frame, lastBytes: number): number {
    const { packetReceiveNs, fragmentReceiveNs, copyNsPerByte } = this.#machine.type.costs;
    const sumNs = this.#checksumNsPerByte * frame.lengthBytes;
    const p = packet;
    if (p.read(frame) !== undefined) return packetReceiveNs + Math.round(sumNs);
    const bytesNs = Math.round(copyNsPerByte * Math.min(lastBytes, p.data.length) + sumNs);
    const last =
      p.sentBlocks === 0 || p.delivery === 0 || Math.clz32(p.delivery) === Math.clz32(p.sentBlocks);
    return (last ? packetReceiveNs : fragmentReceiveNs) + bytesNs;
  }

  #take(frame: Frame, from: Place): void {
    const p = packet;
    this.#counters.receivedPackets++;
    const flaw = p.read(frame);
    if (flaw === 'encrypted') this.#encrypted(frame, p, from);
    else if (flaw !== undefined || (p.streamed && isSpoken(p.flags) && !standAlone(p)))
      this.#counters.malformed++;
    else this.#deal(p, from);
    p.release();
  }

  #deal(p: Packet, from: Place): void {
    const takers = this.#takers as Takers; // boundary: connected before the first packet
    const { clients, servers, manager, routes } = takers;
    if (p.nameless) {
      this.#nameless(p, from, takers);
      return;
    }
    const own = clients.get(p.client);
    if (p.response) {
      if (own !== undefined) own.response(p, from);
      else this.#nobodys(p, from, takers);
      return;
    }
    if (own !== undefined && p.forwardCount === 0) {
      this.#counters.malformed++; // what we send does not come back
      return;
    }
    if (p.toManagers) {
      if (p.forwardCount === 0) routes.asked(p.client, from);
      if (manager.request(p, from)) return;
    }
    servers.request(p, from);
  }

  /** From or to a host that has no number to ask with. */
  #nameless(p: Packet, from: Place, { manager, blocks }: Takers): void {
    const objection = p.response ? probeEntityBlock.reply.decode(messageOf(p)) : undefined;
    if (objection !== undefined) blocks.objection(objection.entity);
    else if (p.toManagers) manager.request(p, from);
    else this.#counters.malformed++;
  }

  /** A response to a client that is not here. Its server is told, so that it does not keep what nobody wants. */
  #nobodys(p: Packet, from: Place, { notices, routes, residents }: Takers): void {
    this.#counters.stale++;
    routes.answered(p.server, from);
    const route = routes.of(p.client);
    const elsewhere = route !== undefined && route.place !== from;
    const code = residents.absence(p.client, this.#machine.engine.nowNs, elsewhere);
    if (!p.multicast) notices.toServer(from, p.client, p.server, p.transaction, p.priority, 0, code);
  }

  /** All but the client is hidden; what names the request is said back as it stands there. */
  #encrypted(frame: Frame, { client }: Packet, from: Place): void {
    const { notices, managerEntity } = this.#takers as Takers; // boundary: connected before the first packet
    this.#counters.malformed++;
    const head = frame.slice(0, headingBytes);
    if (head === undefined || vmtpHeader.get.multicast(head, 0) !== 0) return;
    const transaction = vmtpHeader.get.transaction(head, 0);
    const name = { client, transaction, forwardCount: 0, retransmitCount: 0, priority: normalPriority };
    notices.toClient(from, managerEntity, name, 0, responseCodes.securityNotSupported);
  }
}

/** Runs of other kinds are told so by who gets them. */
const isSpoken = (flags: number): boolean => positionOf(flags) !== undefined || isStreamed(flags);

const messageOf = (p: Packet): Message => ({ control: p.control, segment: p.data });
