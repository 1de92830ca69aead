/**
 * Sending: messages from threads, and everything that a packet's arrival or a timer makes this host send.
 *
 *   from a thread            each packet is charged and settled before it goes out, so that its processor time is over
 *                            while the one before it is still on the wire
 *   from interrupt level     each packet is one interrupt of its own; packets of a message that are asked for twice while
 *                            they wait are sent once
 *
 * A packet costs packetSend, and checksum for each of its bytes where checksums are computed. The processor copies the data
 * of a packet into the interface, which has room for one: so when the one before it is out and the interface has turned
 * around, and not while it is on the wire. Between two packets of a message the sender pauses as its receiver wants (see
 * `Route`), if its interface does not take that long anyway.
 */
import { charge, Gate, settle, sleep, type Task, Timer, tasks } from '@backplane/engine';
import { Busy, type Machine, type Message, type Processors } from '@backplane/slots';
import type { Carrier, Place } from './carrier.ts';
import type { Counters } from './counters.ts';
import { headerBytes, packetDataBytes } from './layout.ts';
import { Outgoing, type OutgoingGroup, type OutgoingParts } from './outgoing.ts';
import { barePacket, type ChecksumCover, encodeHeading, packetParts } from './packet.ts';
import { maskBytes, nextPacketBlocks } from './segment-blocks.ts';
import { gapUnitNs, wireNsPerByte } from './times.ts';
import type { Sender } from './transmit-queue.ts';

export class Output {
  static {
    tasks(Output);
  }

  /** Segment data of a packet. */
  readonly dataBytes: number;
  readonly #machine: Machine;
  readonly #processors: Processors;
  readonly #carrier: Carrier;
  readonly #counters: Counters;
  readonly #sendNs: number;
  readonly #cover: ChecksumCover;
  readonly #checksumNsPerByte: number;
  readonly #copyNsPerByte: number;
  readonly #turnaroundNs: number;
  /** Of packets of which nothing is kept. */
  readonly #bare: Sender = { waiting: 0 };

  constructor(
    machine: Machine,
    processors: Processors,
    carrier: Carrier,
    counters: Counters,
    checksum: boolean,
  ) {
    this.#machine = machine;
    this.#processors = processors;
    this.#carrier = carrier;
    this.#counters = counters;
    const { packetSendNs, checksumNsPerByte, copyNsPerByte, transmitTurnaroundNs } = machine.type.costs;
    this.#sendNs = packetSendNs;
    this.#copyNsPerByte = copyNsPerByte;
    this.#turnaroundNs = transmitTurnaroundNs;
    this.#cover = checksum ? 'packet' : 'none';
    this.#checksumNsPerByte = checksum ? checksumNsPerByte : 0;
    this.dataBytes = packetDataBytes(carrier.packetBytes);
  }

  /** Nanoseconds to pause for a gap in the header's units, beyond what the interface takes anyway. */
  gapNs(units: number): number {
    const beyondNs = Math.round(units * gapUnitNs) - this.#turnaroundNs;
    // Less than a unit is what rounding to units has added.
    return beyondNs < gapUnitNs ? 0 : beyondNs;
  }

  /** A message with the headings of its packets, to be sent. */
  prepare(parts: OutgoingParts, m: Message, place: Place, gapNs: number): Outgoing {
    return new Outgoing(parts, m, place, gapNs, this.#carrier.givenUp);
  }

  /** All of the message, from the thread that runs. What it has accrued is paid before the first packet. */
  *send(m: Outgoing): Task<void> {
    m.sending = true;
    let first = true;
    try {
      for (let i = 0; i < m.groups.length; i++) {
        const group = m.groups[i] as OutgoingGroup; // boundary: in range
        let left = group.blocks;
        do {
          const blocks = this.#nextOf(group, left);
          const bytes = dataBytesOf(group, blocks);
          left = (left & ~blocks) >>> 0;
          const ns = this.#costNs(bytes);
          if (ns > 0) charge(ns, Busy.network);
          if (ns > 0 || first) yield* settle();
          const copyNs = this.#copyNs(bytes);
          if (copyNs > 0) yield* this.#fill(copyNs, first);
          first = false;
          const parts = this.#packet(group, blocks, bytes);
          if (this.#carrier.blocks) yield* this.#carrier.transmit(m.place, m.rank, parts, m);
          else this.#carrier.send(m.place, m.rank, parts, m);
          if (m.gapNs > 0 && (left !== 0 || i < m.groups.length - 1)) yield* sleep(pauseNs(m, bytes));
        } while (left !== 0 && !m.over);
      }
    } finally {
      m.sending = false;
    }
  }

  /**
   * The data of a packet, into the interface. Those of the first packet are the thread's own work; for the others it is the
   * interrupt that reports the packet before them done.
   */
  *#fill(ns: number, first: boolean): Task<void> {
    if (first) {
      charge(ns, Busy.network);
      yield* settle();
      return;
    }
    const filled = new Gate();
    const copy = (): void => this.#processors.interrupt(ns, Busy.network, () => filled.open());
    const turned = new Timer(this.#machine.scope, 'vmtp turnaround', copy);
    this.#carrier.whenDrained(() => turned.set(this.#turnaroundNs));
    yield* filled.pass();
  }

  /** One packet without data from interrupt level, of which nothing is kept. */
  sendBare(parts: OutgoingParts, m: Message, place: Place): void {
    const packet = barePacket(encodeHeading(parts), m, this.#cover);
    this.#processors.interrupt(this.#costNs(0), Busy.network, () => {
      this.#counters.sentPackets++;
      this.#carrier.send(place, parts.priority, packet, this.#bare);
    });
  }

  /** All of a message from interrupt level. */
  sendNow(parts: OutgoingParts, m: Message, place: Place): void {
    const out = this.prepare(parts, m, place, 0);
    out.wantAll();
    this.again(out);
  }

  /** What is wanted of the message, from interrupt level. */
  again(m: Outgoing): void {
    if (m.repeating) return;
    m.repeating = true;
    this.#next(m);
  }

  #next(m: Outgoing): void {
    const group = m.over ? undefined : m.nextWanted();
    if (group === undefined) {
      m.repeating = false;
      return;
    }
    const blocks = this.#nextOf(group, group.wanted);
    const bytes = dataBytesOf(group, blocks);
    group.wanted = (group.wanted & ~blocks) >>> 0;
    group.bare = false;
    this.#processors.interrupt(this.#costNs(bytes) + this.#copyNs(bytes), Busy.network, () => {
      if (!m.over) this.#carrier.send(m.place, m.rank, this.#packet(group, blocks, bytes), m);
      if (m.gapNs === 0) this.#next(m);
      else new Timer(this.#machine.scope, 'vmtp gap', () => this.#next(m)).set(pauseNs(m, bytes));
    });
  }

  #nextOf({ message }: OutgoingGroup, blocks: number): number {
    return nextPacketBlocks(blocks, message.segment.length, this.dataBytes);
  }

  /** @param bytes of data in the packet; so below */
  #costNs(bytes: number): number {
    if (this.#checksumNsPerByte === 0) return this.#sendNs;
    return this.#sendNs + Math.round(this.#checksumNsPerByte * (headerBytes + bytes));
  }

  #copyNs(bytes: number): number {
    return Math.round(this.#copyNsPerByte * bytes);
  }

  #packet(group: OutgoingGroup, blocks: number, bytes: number): Uint8Array[] {
    const { heading, message } = group;
    this.#counters.sentPackets++;
    this.#counters.bytes += bytes;
    const memory = bytes < message.segment.length ? group.memory : undefined;
    return packetParts(heading, message, blocks, this.#cover, bytes, memory);
  }
}

const dataBytesOf = ({ message }: OutgoingGroup, blocks: number): number =>
  maskBytes(blocks, message.segment.length);

/** From the start of one packet to that of the next: a gap begins when a packet is out. */
const pauseNs = ({ gapNs }: Outgoing, bytes: number): number => gapNs + wireNsPerByte * (headerBytes + bytes);
