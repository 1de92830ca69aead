/**
 * The ping list: watched hosts are sent an echo while they are otherwise silent, so that an idle host learns of a reboot
 * (`src/kernel/recov/recovProc.c`).
 *
 * Rounds come every 30 s, at instants that do not depend on how long a round took; a host that was heard within the last
 * 10 s is left out. The first instant is drawn for each boot, so that a server's reboot does not bring all its clients into
 * step. With nobody on the list there are no rounds.
 */
import { type Scope, seconds, type Task, Timer, tasks } from '@backplane/engine';
import type { Pings } from '@backplane/rpc-service';
import { type HostId, isKernelError, type Machine } from '@backplane/slots';

const recentNs = /* @__PURE__ */ seconds(10);

export class PingList implements Pings {
  static {
    tasks(PingList);
  }

  readonly #scope: Scope;
  readonly #periodNs: number;
  readonly #heardNs: (host: HostId) => number;
  readonly #ping: (host: HostId) => Task<void>;
  /** Drawn when the first host is watched. */
  #phaseNs = -1;
  readonly #draw: () => number;
  readonly #round: Timer;
  /** In order of their numbers. */
  #hosts: HostId[] = [];
  /** Hosts to which an echo is under way. */
  readonly #asked = new Set<HostId>();
  #roundRuns = false;

  /** @param ping sends an echo and returns when it was answered; throws `peerDown` */
  constructor(
    machine: Machine,
    periodNs: number,
    heardNs: (host: HostId) => number,
    ping: (host: HostId) => Task<void>,
  ) {
    this.#scope = machine.scope;
    this.#periodNs = periodNs;
    this.#heardNs = heardNs;
    this.#ping = ping;
    this.#draw = () => machine.random('rpc.pings').below(periodNs);
    this.#round = new Timer(machine.scope, 'ping round', () => this.#begin());
  }

  add(host: HostId): void {
    this.#hosts = [...this.#hosts, host].sort((a, b) => a - b);
    this.#arm();
  }

  remove(host: HostId): void {
    this.#hosts = this.#hosts.filter((h) => h !== host);
    if (this.#hosts.length === 0) this.#round.cancel();
  }

  /** An echo now, whatever the round. */
  now(host: HostId): void {
    if (!this.#asked.has(host)) this.#scope.spawn('ping', this.#one(host));
  }

  #arm(): void {
    if (this.#round.armed || this.#hosts.length === 0) return;
    if (this.#phaseNs < 0) this.#phaseNs = this.#draw();
    const sinceNs = this.#scope.engine.nowNs - this.#phaseNs;
    this.#round.setAt(this.#phaseNs + (Math.floor(sinceNs / this.#periodNs) + 1) * this.#periodNs);
  }

  #begin(): void {
    this.#arm();
    if (!this.#roundRuns) this.#scope.spawn('ping round', this.#all());
  }

  /** One host after the other: one that is down holds up the rest of the round, as in Sprite. */
  *#all(): Task<void> {
    this.#roundRuns = true;
    for (const host of this.#hosts) {
      const silentNs = this.#scope.engine.nowNs - this.#heardNs(host);
      if (silentNs >= recentNs && this.#hosts.includes(host) && !this.#asked.has(host))
        yield* this.#one(host);
    }
    this.#roundRuns = false;
  }

  *#one(host: HostId): Task<void> {
    this.#asked.add(host);
    try {
      yield* this.#ping(host);
    } catch (e) {
      if (!isKernelError(e)) throw e; // that it is down, the monitor has been told by the call
    } finally {
      this.#asked.delete(host);
    }
  }
}
