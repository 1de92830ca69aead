/**
 * One cable and all who are tapped into it: carrier sense with propagation, collisions, gaps (IEEE 802.3 clause 4.2;
 * DIX 1982, data link layer).
 *
 *   state      event                                  action                                          next
 *   quiet      a port contends                        it starts, no earlier than its gap is over      frame
 *   frame      a port contends and hears it           the port waits                                  frame
 *   frame      a port contends before it hears it     the port starts too                             collision
 *   frame      last bit out                           deliver, sent(true), let those who wait start   quiet, frame, collision
 *   frame      its sender is switched off             the frame ends here and now, for nobody         quiet, frame, collision
 *   collision  a port contends before it hears any    the port starts too                             collision
 *   collision  a port contends and hears one          the port waits                                  collision
 *   collision  all have fallen silent                 each draws its slots, let those who wait start  quiet, frame, collision
 *
 * Why one state for all stations is enough: they are points on a line, so the ends of one signal at two of them differ
 * by no more than the propagation between the two. Two that wait for the same silence therefore start before they can
 * hear each other, and always collide; and a lone one may be given the wire while its gap still runs, since whoever
 * contends meanwhile will collide with it. Within `propagationNsMax` the jams of a collision overlap everywhere.
 *
 * A frame that meets nobody costs two events: its end, and its arrival.
 */
import { Timer } from '@backplane/engine';
import type {
  Attachment,
  Frame,
  LinkRule,
  Medium,
  Place,
  Station,
  StationAddress,
  Undo,
} from '@backplane/slots';
import { assert, broadcastAddress, isGroupAddress } from '@backplane/slots';
import { Backoffs } from './backoffs.ts';
import { Carrier } from './carrier.ts';
import { Collision } from './collision.ts';
import { Delivery } from './delivery.ts';
import { addressTaken, frameTooLong } from './errors.ts';
import { Port, type Wire } from './port.ts';
import { bitsPerSecond, frameSizeBytes, propagationNsMax, wireNs } from './timing.ts';

type Tap = (frame: Frame, startNs: number, from: string) => void;

/** What has happened on a segment since the run began. */
export interface SegmentCounts {
  /** Frames carried, and their bytes from destination to frame check sequence. */
  frames: number;
  bytes: number;
  /** Collisions, however many stations took part. */
  collisions: number;
  /** Frames given up after 16 collisions. */
  giveUps: number;
  /** Frames cut off because their sender was switched off. */
  fragments: number;
  /** Time in which somebody sent: frames, fragments and collisions, the gaps excepted. */
  busyNs: number;
  /** The collisions' part of it. */
  collisionNs: number;
}

export interface SegmentOptions {
  readonly mtuBytes: number;
  /** Where the next station is tapped in, in nanoseconds of propagation from one end. */
  readonly positionNs: (station: string) => number;
}

export class Segment implements Medium, Wire {
  readonly bitsPerSecond: number = bitsPerSecond;
  readonly mtuBytes: number;
  readonly counts: SegmentCounts = {
    frames: 0,
    bytes: 0,
    collisions: 0,
    giveUps: 0,
    fragments: 0,
    busyNs: 0,
    collisionNs: 0,
  };
  readonly delivery: Delivery;
  readonly #place: Place;
  readonly #positionNs: (station: string) => number;
  /** In order of attachment. */
  readonly #ports: Port[] = [];
  readonly #byAddress = new Map<StationAddress, Port>();
  readonly #taps: Tap[] = [];
  /** Ends a frame or a collision: the wire does one thing at a time. */
  readonly #end: Timer;

  #state: 'quiet' | 'frame' | 'collision' = 'quiet';
  /** While in state `frame`. */
  #sender: Port | null = null;
  /** While in state `collision`. */
  readonly #collision: Collision = new Collision();
  /** The last signal that has ended. */
  readonly #carrier: Carrier = new Carrier();
  /** Ports that heard somebody, in the order in which they came. */
  #waiting: Port[] = [];
  #spare: Port[] = [];
  readonly #backoffs: Backoffs = new Backoffs();
  /** A backoff is over while the wire is quiet, or not yet heard to be taken. */
  readonly #backoffOver: Timer;

  constructor(place: Place, options: SegmentOptions) {
    this.#place = place;
    this.mtuBytes = options.mtuBytes;
    this.#positionNs = options.positionNs;
    this.delivery = new Delivery(place, this.#ports);
    this.#end = new Timer(place.scope, 'end of signal', () => {
      if (this.#state === 'frame') this.#carried();
      else this.#collided();
    });
    this.#backoffOver = new Timer(place.scope, 'end of backoff', () => {
      const port = this.#backoffs.takeDue(place.engine.nowNs);
      if (port !== undefined) this.contend(port);
      this.#watchBackoffs();
    });
  }

  // ---- Medium ----

  attach(station: Station): Attachment {
    const other = this.#byAddress.get(station.address);
    if (other !== undefined) throw addressTaken(station.name, other.station.name, station.address);
    const random = this.#place.engine.random('ethernet.backoff', station.name);
    const port = new Port(this, station, this.#positionNs(station.name), random);
    this.#ports.push(port);
    this.#byAddress.set(station.address, port);
    return port;
  }

  addRule(rule: LinkRule): Undo {
    return this.delivery.addRule(rule);
  }

  /** The listener is called when the last bit is out, before anybody receives the frame, with the time of the first. */
  tap(listener: Tap): Undo {
    this.#taps.push(listener);
    return () => {
      const i = this.#taps.indexOf(listener);
      if (i >= 0) this.#taps.splice(i, 1);
    };
  }

  // ---- Wire: what the ports ask ----

  check(port: Port, frame: Frame): void {
    if (frame.lengthBytes > this.mtuBytes) {
      throw frameTooLong(port.station.name, frame.lengthBytes, this.mtuBytes);
    }
  }

  remove(port: Port): void {
    const i = this.#ports.indexOf(port);
    if (i < 0) return;
    this.#ports.splice(i, 1);
    this.#byAddress.delete(port.station.address);
  }

  /** Called for every frame, and again after every collision of it; allocates nothing. */
  contend(port: Port): void {
    const startNs = Math.max(this.#place.engine.nowNs, this.#carrier.freeAtNs(port.positionNs));
    if (this.#state === 'quiet') this.#begin(port, startNs);
    else if (startNs > this.#heardAtNs(port)) this.#wait(port);
    else this.#collide(port, startNs);
  }

  backOff(port: Port): void {
    this.#backoffs.add(port);
  }

  withdraw(port: Port): void {
    if (port.state === 'backingOff') {
      this.#backoffs.remove(port);
      this.#watchBackoffs();
    } else if (port.state === 'waiting') {
      this.#waiting.splice(this.#waiting.indexOf(port), 1);
    } else if (port.state === 'colliding') {
      this.#collision.forget(port);
    } else if (port.state === 'sending') {
      const { nowNs } = this.#place.engine;
      // Not a bit may be out yet: then the silence before still counts.
      if (port.startNs < nowNs) {
        this.counts.fragments++;
        this.counts.busyNs += nowNs - port.startNs;
        this.#carrier.clear();
        this.#carrier.end(port.positionNs, nowNs);
      }
      this.#end.cancel();
      this.#silence();
    }
  }

  // ---- one frame ----

  #begin(port: Port, startNs: number): void {
    const { frame } = port;
    assert(frame !== null, 'segment', 'a port contends without a frame');
    this.#state = 'frame';
    this.#sender = port;
    port.state = 'sending';
    port.startNs = startNs;
    this.#end.setAt(startNs + wireNs(frame.lengthBytes));
    this.#watchBackoffs();
  }

  #wait(port: Port): void {
    port.state = 'waiting';
    this.#waiting.push(port);
  }

  #carried(): void {
    const port = this.#sender;
    assert(port !== null && port.frame !== null, 'segment', 'a frame without a sender');
    const { engine } = this.#place;
    const { frame, startNs, collisions } = port;
    const { destination } = frame;
    this.counts.frames++;
    this.counts.bytes += frameSizeBytes(frame.lengthBytes);
    this.counts.busyNs += engine.nowNs - startNs;
    if (destination === broadcastAddress || isGroupAddress(destination))
      this.delivery.begin(frame, port, null);
    else {
      // A station does not hear itself, and a frame to nobody has only kept the wire busy.
      const to = this.#byAddress.get(destination);
      if (to !== undefined && to !== port) this.delivery.begin(frame, port, to);
    }
    this.#carrier.clear();
    this.#carrier.end(port.positionNs, engine.nowNs);
    // Whoever sends in answer to `sent` finds the wire still busy, and waits for the gap with the others.
    port.done(true);
    this.#silence();
    // Last, since a listener may do anything, even switch the sender off.
    if (engine.trace.on) this.#traceFrame(frame, port, startNs, collisions);
    for (const tap of this.#taps) tap(frame, startNs, port.station.name);
  }

  /** The wire falls silent: whoever waits for that starts when the gap is over. */
  #silence(): void {
    this.#state = 'quiet';
    this.#sender = null;
    this.#waitIfDue();
    const waiting = this.#waiting;
    if (waiting.length === 0) {
      this.#watchBackoffs();
      return;
    }
    if (waiting.length === 1) {
      const port = waiting.pop();
      if (port !== undefined) this.#begin(port, this.#carrier.freeAtNs(port.positionNs));
      return;
    }
    this.#waiting = this.#spare;
    this.#spare = waiting;
    this.#beginCollision();
    for (const port of waiting) this.#join(port, this.#carrier.freeAtNs(port.positionNs));
    while (waiting.length > 0) waiting.pop();
    this.#end.setAt(this.#collision.endNs);
    this.#watchBackoffs();
  }

  // ---- backoff ----

  /** Whose slots were over while somebody sent found the wire taken. */
  #waitIfDue(): void {
    const { nowNs } = this.#place.engine;
    for (let port = this.#backoffs.takeDue(nowNs); port !== undefined; port = this.#backoffs.takeDue(nowNs))
      this.#wait(port);
  }

  /** Sees to it that the next backoff to end is an event if its port would not find the wire taken. */
  #watchBackoffs(): void {
    const { firstNs } = this.#backoffs;
    if (firstNs <= this.#unheardUntilNs()) this.#backoffOver.setAt(firstNs);
    else if (this.#backoffOver.armed) this.#backoffOver.cancel();
  }

  /** Until then there may be a port that has not heard what is on the wire. */
  #unheardUntilNs(): number {
    if (this.#state === 'quiet') return Number.MAX_VALUE;
    const startNs = this.#sender?.startNs ?? this.#collision.startNs;
    return startNs + propagationNsMax;
  }

  // ---- one collision ----

  /** When the first bit of what is on the wire reaches a port. */
  #heardAtNs({ positionNs }: Port): number {
    const sender = this.#sender;
    if (sender === null) return this.#collision.heardAtNs(positionNs);
    return sender.startNs + Math.abs(sender.positionNs - positionNs);
  }

  #collide(port: Port, startNs: number): void {
    const sender = this.#sender;
    if (sender !== null) {
      this.#beginCollision();
      this.#join(sender, sender.startNs);
    }
    this.#join(port, startNs);
    this.#end.setAt(this.#collision.endNs);
  }

  #beginCollision(): void {
    this.#state = 'collision';
    this.#sender = null;
    this.#collision.clear();
  }

  #join(port: Port, startNs: number): void {
    port.state = 'colliding';
    this.#collision.add(port, startNs);
  }

  #collided(): void {
    const collision = this.#collision;
    const { engine } = this.#place;
    this.counts.collisions++;
    const lostNs = engine.nowNs - collision.startNs;
    this.counts.busyNs += lostNs;
    this.counts.collisionNs += lostNs;
    if (engine.trace.on) this.#traceCollision();
    this.#carrier.clear();
    for (let i = 0; i < collision.count; i++) this.#carrier.end(collision.positionNs(i), collision.stopNs(i));
    for (let i = 0; i < collision.count; i++) {
      const port = collision.port(i);
      if (port === null) continue;
      const slots = port.collide();
      if (slots > 0) port.backOff(collision.stopNs(i), slots);
      else if (slots === 0) this.#wait(port);
      else this.#giveUp(port);
    }
    this.#silence();
  }

  #giveUp(port: Port): void {
    const { engine, scope } = this.#place;
    const destination = port.frame?.destination ?? 0;
    this.counts.giveUps++;
    if (engine.trace.on)
      engine.trace.emit('ethernet.giveUp', scope, { from: port.station.name, destination });
    port.done(false);
  }

  // ---- trace ----

  #traceFrame(frame: Frame, port: Port, startNs: number, collisions: number): void {
    const { destination, type, lengthBytes } = frame;
    const from = port.station.name;
    const sizeBytes = frameSizeBytes(lengthBytes);
    const fields = { from, destination, type, sizeBytes, startNs, collisions };
    this.#place.engine.trace.emit('ethernet.frame', this.#place.scope, fields);
  }

  #traceCollision(): void {
    const { startNs, count } = this.#collision;
    const stations: string[] = [];
    for (let i = 0; i < count; i++) {
      const port = this.#collision.port(i);
      if (port !== null) stations.push(port.station.name);
    }
    this.#place.engine.trace.emit('ethernet.collision', this.#place.scope, { stations, startNs });
  }
}
