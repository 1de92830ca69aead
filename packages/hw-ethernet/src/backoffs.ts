/**
 * The ports that wait out their slots after a collision, by the instant at which they are over.
 *
 * On a busy wire most of these instants pass while somebody sends, and all that such a port would do is join those who
 * wait for silence. So they are not events: the segment takes whoever is due when the wire falls silent, and sets its
 * one timer only for an instant that comes while the wire is quiet, or so early in a signal that the port may not have
 * heard it yet.
 *
 *   invariants   ports are ordered by untilNs, the earliest last; equal ones came in from the end
 */
import type { Port } from './port.ts';

export class Backoffs {
  readonly #ports: Port[] = [];

  /** When the first of them is over; Infinity when there is none. */
  get firstNs(): number {
    return this.#ports.at(-1)?.untilNs ?? Number.POSITIVE_INFINITY;
  }

  add(port: Port): void {
    const ports = this.#ports;
    const { untilNs } = port;
    let i = ports.length;
    ports.push(port);
    for (; i > 0; i--) {
      const other = ports[i - 1];
      if (other === undefined || other.untilNs > untilNs) break;
      ports[i] = other;
    }
    ports[i] = port;
  }

  /** Takes the first one whose slots are over by that time; undefined when there is none. */
  takeDue(nowNs: number): Port | undefined {
    return this.firstNs <= nowNs ? this.#ports.pop() : undefined;
  }

  remove(port: Port): void {
    this.#ports.splice(this.#ports.indexOf(port), 1);
  }
}
