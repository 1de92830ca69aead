/**
 * Watched hosts are pinged when they have been silent for a while: so an idle host
 * learns of a reboot. A host that talks is not pinged; one that is down is pinged on and on, and does not hold up the
 * others. The first ping is put off by a time drawn for each boot, so that a server's reboot does not bring all its
 * clients into step.
 */
import { type Scope, Timer } from '@backplane/engine';
import type { HostId, Machine } from '@backplane/slots';
import type { Pings } from './peer-monitor.ts';

export class WatchList implements Pings {
  readonly #scope: Scope;
  readonly #periodNs: number;
  readonly #drawNs: () => number;
  readonly #heardNs: (host: HostId) => number;
  readonly now: (host: HostId) => void;
  readonly #timers = new Map<HostId, Timer>();

  /** @param ping asks the host for a sign of life, unless that is under way */
  constructor(
    machine: Machine,
    periodNs: number,
    heardNs: (host: HostId) => number,
    ping: (host: HostId) => void,
  ) {
    this.#scope = machine.scope;
    this.#periodNs = periodNs;
    this.#drawNs = () => machine.random('rpc.pings').below(periodNs);
    this.#heardNs = heardNs;
    this.now = ping;
  }

  add(host: HostId): void {
    const timer = new Timer(this.#scope, 'rpc watch', () => this.#look(host));
    this.#timers.set(host, timer);
    timer.set(this.#drawNs());
  }

  remove(host: HostId): void {
    this.#timers.get(host)?.cancel();
    this.#timers.delete(host);
  }

  #look(host: HostId): void {
    const { nowNs } = this.#scope.engine;
    const dueNs = this.#heardNs(host) + this.#periodNs;
    if (dueNs <= nowNs) this.now(host);
    this.#timers.get(host)?.setAt(dueNs > nowNs ? dueNs : nowNs + this.#periodNs);
  }
}
