/**
 * Sending: messages from threads, and everything that a packet's arrival or a timer makes this host send.
 *
 *   from a thread            each packet is charged and settled before it goes out, so that its processor time is over
 *                            while the one before it is still on the wire
 *   from interrupt level     each packet is one interrupt of its own; packets of a message that is asked for twice while
 *                            they wait are sent once
 *
 * Between two fragments a sender pauses if the receiver wants them further apart than this host's interface sends them
 * anyway (`delay` in the receiver's packets, `src/kernel/rpc/rpcOutput.c`).
 */
import { charge, settle, sleep, type Task, Timer, tasks } from '@backplane/engine';
import { Busy, type Machine, type Processors } from '@backplane/slots';
import type { Carrier } from './carrier.ts';
import type { Counters } from './counters.ts';
import { flags, headerBytes } from './layout.ts';
import type { PeerTable } from './lives.ts';
import { batchEnd, type Message, PacketWriter } from './message.ts';

export class Output {
  static {
    tasks(Output);
  }

  /** Payload bytes of a packet. */
  readonly fragmentBytes: number;
  readonly #machine: Machine;
  readonly #processors: Processors;
  readonly #carrier: Carrier;
  readonly #peers: PeerTable;
  readonly #counters: Counters;
  readonly #writer: PacketWriter;
  readonly #sendNs: number;
  /** Set on every packet until this host serves. */
  #notActive: number = flags.notActive;

  constructor(
    machine: Machine,
    processors: Processors,
    carrier: Carrier,
    peers: PeerTable,
    counters: Counters,
  ) {
    this.#machine = machine;
    this.#processors = processors;
    this.#carrier = carrier;
    this.#peers = peers;
    this.#counters = counters;
    this.#sendNs = machine.type.costs.packetSendNs;
    this.fragmentBytes = carrier.packetBytes - headerBytes;
    const delayUs = Math.round(machine.type.costs.transmitTurnaroundNs / 1000);
    this.#writer = new PacketWriter(this.fragmentBytes, machine.bootId, delayUs);
  }

  /** From now on this host is a server. */
  activate(): void {
    this.#notActive = 0;
  }

  // ---- from threads ----

  /** Sends the packets of `mask`, lowest first. What the thread has accrued is paid before the first. */
  *send(m: Message, mask: number): Task<void> {
    m.sending = true;
    const gapNs = this.#gapNs(m.to);
    for (let left = mask; left !== 0; ) {
      const k = 31 - Math.clz32(left & -left);
      left &= left - 1;
      if (this.#sendNs > 0) charge(this.#sendNs, Busy.network);
      yield* settle();
      const parts = this.#packet(m, k, left);
      if (this.#carrier.blocks) yield* this.#carrier.transmit(m.to, parts);
      else this.#carrier.send(m.to, parts);
      if (left !== 0 && gapNs > 0) yield* sleep(gapNs);
    }
    m.lastPacket = this.#carrier.sent;
    m.sending = false;
  }

  // ---- from interrupt level ----

  /** Sends the packets of `mask` again. */
  again(m: Message, mask: number): void {
    const waiting = m.pending !== 0;
    m.pending |= mask;
    if (!waiting) this.#next(m, m.generation);
  }

  #next(m: Message, generation: number): void {
    this.#processors.interrupt(this.#sendNs, Busy.network, () => {
      if (m.generation !== generation) return;
      const k = 31 - Math.clz32(m.pending & -m.pending);
      m.pending &= m.pending - 1;
      this.#counters.retransmissions++;
      this.#carrier.send(m.to, this.#packet(m, k, m.pending));
      m.lastPacket = this.#carrier.sent;
      if (m.pending === 0) return;
      const gapNs = this.#gapNs(m.to);
      if (gapNs === 0) this.#next(m, generation);
      else new Timer(this.#machine.scope, 'fragment gap', () => this.#next(m, generation)).set(gapNs);
    });
  }

  /** An acknowledgement of the call that `m` is about. */
  acknowledge(m: Message, packetFlags: number, fragmentMask: number, then?: () => void): void {
    const parts = this.#writer.bare(m, packetFlags | this.#notActive, fragmentMask);
    this.#now(m.to, parts, then);
  }

  /** A message of one packet, at once. */
  short(m: Message): void {
    this.#now(m.to, this.#packet(m, 0, 0));
  }

  #now(to: number, parts: readonly Uint8Array[], then?: () => void): void {
    this.#processors.interrupt(this.#sendNs, Busy.network, () => {
      this.#counters.sentPackets++;
      this.#carrier.send(to, parts);
      then?.();
    });
  }

  // ---- both ----

  /** Whether the last packet of the message may not even be on the wire yet. */
  mayBeQueued(m: Message): boolean {
    return m.sending || m.pending !== 0 || this.#carrier.mayBeQueued(m.lastPacket);
  }

  #packet(m: Message, k: number, left: number): Uint8Array[] {
    const { fragments } = m;
    const parts = this.#writer.packet(m, k, this.#notActive | (fragments === 0 ? 0 : batchEnd(left)));
    this.#counters.sentPackets++;
    for (let i = 1; i < parts.length; i++) this.#counters.bytes += (parts[i] as Uint8Array).length;
    return parts;
  }

  #gapNs(to: number): number {
    const { transmitTurnaroundNs } = this.#machine.type.costs;
    return Math.max(0, this.#peers.of(to).delayNs - transmitTurnaroundNs);
  }
}
