/**
 * The last stretch of a frame: from the end of the wire into each station that it is for, past the faults.
 *
 * A frame makes one event here. For one station it is the arrival of the last bit there; for a group, its arrival at
 * the farthest of all stations, and the listeners then get it in the order in which they were attached. One arrival
 * is under way at a time, since the next frame ends a gap and a shortest frame later.
 *
 * Faults are asked once for each frame and station, at the instant of arrival. Copies and late frames are not asked
 * about again.
 */
import { Timer } from '@backplane/engine';
import {
  broadcastAddress,
  Frame,
  type LinkRule,
  type LinkVerdict,
  type Place,
  type Undo,
} from '@backplane/slots';
import type { Port } from './port.ts';
import type { FaultKind } from './trace-kinds.ts';

type Strike = Exclude<LinkVerdict, 'pass'>;

export class Delivery {
  /** Deliveries that a fault has struck. */
  readonly struck: Record<FaultKind, number> = { drop: 0, delay: 0, duplicate: 0, damage: 0 };
  readonly #place: Place;
  readonly #ports: readonly Port[];
  readonly #rules: LinkRule[] = [];
  readonly #arrival: Timer;
  #frame: Frame | null = null;
  #from: Port | null = null;
  /** Null: a group. */
  #to: Port | null = null;

  /** @param ports those attached now, in order of attachment; owned by the segment */
  constructor(place: Place, ports: readonly Port[]) {
    this.#place = place;
    this.#ports = ports;
    this.#arrival = new Timer(place.scope, 'arrival', () => this.#arrive());
  }

  addRule(rule: LinkRule): Undo {
    let added = true;
    this.#rules.push(rule);
    return () => {
      if (!added) return;
      added = false;
      this.#rules.splice(this.#rules.indexOf(rule), 1);
    };
  }

  /** The last bit has just left the sender. `to` is null for a group. */
  begin(frame: Frame, from: Port, to: Port | null): void {
    this.#frame = frame;
    this.#from = from;
    this.#to = to;
    let distanceNs = 0;
    if (to !== null) distanceNs = Math.abs(to.positionNs - from.positionNs);
    else
      for (const p of this.#ports)
        distanceNs = Math.max(distanceNs, Math.abs(p.positionNs - from.positionNs));
    this.#arrival.set(distanceNs);
  }

  #arrive(): void {
    const frame = this.#frame;
    const from = this.#from;
    const to = this.#to;
    if (frame === null || from === null) return;
    this.#frame = null;
    if (to !== null) this.#pass(frame, from, to);
    else {
      const all = frame.destination === broadcastAddress;
      // A handler may attach or detach: those who were there at this instant get the frame.
      for (const port of this.#ports.slice()) {
        if (port !== from && (all || port.station.accepts(frame.destination))) this.#pass(frame, from, port);
      }
    }
  }

  #pass(frame: Frame, from: Port, to: Port): void {
    if (!to.attached) return;
    for (const rule of this.#rules) {
      const verdict = rule.judge(frame, from.station.name, to.station.name);
      if (verdict === 'pass') continue;
      this.#strike(rule, verdict, frame, from, to);
      return;
    }
    to.station.deliver(frame);
  }

  #strike(rule: LinkRule, verdict: Strike, frame: Frame, from: Port, to: Port): void {
    if (verdict === 'drop') this.#note('drop', rule, from, to);
    else if ('delayNs' in verdict) {
      this.#note('delay', rule, from, to);
      this.#later(frame, to, verdict.delayNs);
    } else if ('copies' in verdict) {
      this.#note('duplicate', rule, from, to);
      for (let i = 1; i < verdict.copies; i++) this.#later(frame, to, i * verdict.spacingNs);
      to.station.deliver(frame);
    } else {
      this.#note('damage', rule, from, to);
      const { destination, source, type } = frame;
      const altered = [verdict.damage(frame.payload())];
      to.station.deliver(new Frame(destination, source, type, altered, verdict.undetected !== true));
    }
  }

  #later(frame: Frame, to: Port, delayNs: number): void {
    new Timer(this.#place.scope, 'late arrival', () => {
      if (to.attached) to.station.deliver(frame);
    }).set(delayNs);
  }

  #note(what: FaultKind, rule: LinkRule, from: Port, to: Port): void {
    this.struck[what]++;
    const { trace } = this.#place.engine;
    if (trace.on) {
      const fields = { rule: rule.name, what, from: from.station.name, to: to.station.name };
      trace.emit('ethernet.fault', this.#place.scope, fields);
    }
  }
}
