/**
 * A network interface: queue, transmitter, filter (in the manner of the Intel 82586 and the AMD 7990).
 *
 *   transmitter  event                      action                                   next
 *   ready        send                       hand the frame to the wire               busy
 *   busy         send                       queue                                    busy
 *   busy         frame is off, more queued  wait out the turnaround                  turning
 *   busy         frame is off, queue empty  call back who waits for that             turning
 *   turning      send                       queue                                    turning
 *   turning      turnaround over, queued    hand the oldest to the wire              busy
 *   turning      turnaround over, empty                                              ready
 *   any          power off                  cut the frame off, forget the queue      ready
 *
 * The next packet is started by the interrupt that reports the last one done, so an interface is taken for the wire
 * time of a packet and its machine's turnaround; only the first packet of an interface at rest goes out at once. The
 * end of a turnaround is an event only when something waits for it.
 *
 * A frame that was given up after 16 collisions is dropped and counted: protocols send again when nothing comes back.
 * Lost in a crash: all that was queued, who takes which frames, and which groups are listened to.
 */
import { Timer } from '@backplane/engine';
import type { Attachment, Frame, Machine, Medium, Nic, StationAddress, Undo } from '@backplane/slots';
import { broadcastAddress, isGroupAddress } from '@backplane/slots';
import { linkTypeTaken, notAGroup } from './errors.ts';
import { FrameQueue } from './frame-queue.ts';

type Handler = (frame: Frame) => void;

/** What has happened on an interface since the run began; crashes do not set it back. */
export interface InterfaceCounts {
  sentFrames: number;
  sentBytes: number;
  receivedFrames: number;
  /** Payload bytes. */
  receivedBytes: number;
  givenUp: number;
  /** Arrived with a wrong frame check sequence. */
  damaged: number;
  /** Arrived well, but no board of this machine takes frames of their type. */
  unclaimed: number;
  /** Most frames that were queued or under way at once. */
  queuedMax: number;
}

export class EthernetInterface implements Nic {
  readonly address: StationAddress;
  readonly mtuBytes: number;
  readonly counts: InterfaceCounts = {
    sentFrames: 0,
    sentBytes: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    givenUp: 0,
    damaged: 0,
    unclaimed: 0,
    queuedMax: 0,
  };
  readonly #machine: Machine;
  readonly #turnaroundNs: number;
  readonly #attachment: Attachment;
  readonly #turned: Timer;
  readonly #sent: (delivered: boolean) => void;

  readonly #queue: FrameQueue = new FrameQueue();
  /** The frame that the wire has; null when the transmitter is ready or turning. */
  #underWay: Frame | null = null;
  /** The transmitter is turning until then. */
  #readyAtNs = 0;
  /** Who waits until the queue is empty: mostly one. */
  #drained: (() => void) | null = null;
  #alsoDrained: (() => void)[] = [];

  readonly #handlers = new Map<number, Handler>();
  /** Group addresses listened to, and how many boards asked for each. */
  readonly #groups = new Map<StationAddress, number>();
  /** Power failures so far. What was registered before the last one is void. */
  #generation = 0;

  constructor(machine: Machine, medium: Medium, address: StationAddress) {
    this.#machine = machine;
    this.address = address;
    this.mtuBytes = medium.mtuBytes;
    this.#turnaroundNs = machine.type.costs.transmitTurnaroundNs;
    this.#attachment = medium.attach({
      name: machine.name,
      address,
      accepts: (group) => this.#groups.has(group),
      deliver: (frame) => this.#receive(frame),
    });
    this.#turned = new Timer(machine.scope, 'turnaround', () => this.#start());
    this.#sent = (delivered) => this.#finish(delivered);
  }

  // ---- transmitter ----

  get queued(): number {
    return this.#queue.length + (this.#underWay === null ? 0 : 1);
  }

  get givenUp(): number {
    return this.counts.givenUp;
  }

  send(frame: Frame): void {
    if (this.queued >= this.counts.queuedMax) this.counts.queuedMax = this.queued + 1;
    if (this.#underWay !== null || this.#turned.armed) this.#queue.push(frame);
    else if (this.#machine.engine.nowNs < this.#readyAtNs) {
      this.#queue.push(frame);
      this.#turned.setAt(this.#readyAtNs);
    } else this.#begin(frame);
  }

  whenDrained(f: () => void): void {
    if (this.queued === 0) f();
    else if (this.#drained === null) this.#drained = f;
    else this.#alsoDrained.push(f);
  }

  #start(): void {
    const frame = this.#queue.shift();
    if (frame !== undefined) this.#begin(frame);
  }

  #begin(frame: Frame): void {
    this.#underWay = frame;
    this.#attachment.send(frame, this.#sent);
  }

  #finish(delivered: boolean): void {
    const frame = this.#underWay;
    if (frame === null) return;
    this.#underWay = null;
    if (delivered) {
      this.counts.sentFrames++;
      this.counts.sentBytes += frame.lengthBytes;
    } else this.counts.givenUp++;
    this.#readyAtNs = this.#machine.engine.nowNs + this.#turnaroundNs;
    if (this.#queue.length === 0) {
      if (this.#drained !== null) this.#callBack(this.#drained);
    } else if (this.#turnaroundNs > 0) this.#turned.setAt(this.#readyAtNs);
    else this.#start();
  }

  #callBack(first: () => void): void {
    this.#drained = null;
    if (this.#alsoDrained.length === 0) {
      first();
      return;
    }
    // Who is called may wait again.
    const others = this.#alsoDrained;
    this.#alsoDrained = [];
    first();
    for (const f of others) f();
  }

  // ---- receiver ----

  receive(type: number, handler: Handler): Undo {
    if (this.#handlers.has(type)) throw linkTypeTaken(this.#machine.name, type);
    this.#handlers.set(type, handler);
    return () => {
      if (this.#handlers.get(type) === handler) this.#handlers.delete(type);
    };
  }

  join(group: StationAddress): Undo {
    if (group === broadcastAddress || !isGroupAddress(group)) throw notAGroup(this.#machine.name, group);
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1);
    const generation = this.#generation;
    let joined = true;
    return () => {
      if (!joined || generation !== this.#generation) return;
      joined = false;
      const others = (this.#groups.get(group) ?? 1) - 1;
      if (others === 0) this.#groups.delete(group);
      else this.#groups.set(group, others);
    };
  }

  #receive(frame: Frame): void {
    if (frame.damaged) {
      this.counts.damaged++;
      return;
    }
    const handler = this.#handlers.get(frame.type);
    if (handler === undefined) {
      this.counts.unclaimed++;
      return;
    }
    this.counts.receivedFrames++;
    this.counts.receivedBytes += frame.lengthBytes;
    handler(frame);
  }

  // ---- power off ----

  reset(): void {
    this.#generation++;
    this.#attachment.abort();
    this.#turned.cancel();
    this.#queue.clear();
    this.#underWay = null;
    this.#readyAtNs = 0;
    this.#drained = null;
    this.#alsoDrained = [];
    this.#handlers.clear();
    this.#groups.clear();
  }
}
