/**
 * What a host remembers of the newest transaction of one client, of which it received the request: so that the request is
 * seen once, and its response is there when the client asks again.
 *
 * - One for each client and life of the client's host. A newer transaction takes its place, an older one is over.
 * - Once nothing works on it, it is kept for two minutes, which is longer than a client's host may still ask: the transports'
 *   silences (37.7 s at most) and the waits before asking again (30 s) lie within. It is dropped when a later request comes,
 *   so that an idle host has no timer for it.
 */
import { type Engine, seconds } from '@backplane/engine';
import type { Caller, EntityId, HostId, Undo } from '@backplane/slots';
import type { Arrival } from './arrival.ts';

const keptNs = /* @__PURE__ */ seconds(120);

export class HeldTransaction {
  readonly key: string;
  readonly client: EntityId;
  readonly origin: Caller;
  readonly transaction: number;
  /** In order; of a single request, the last is that of the latest forward. */
  readonly arrivals: Arrival[] = [];
  /** The client has given it up, or has begun another. */
  over = false;
  /** The client's host is called dead, and the client has not asked since. */
  bereft = false;
  /** Watches the client's host; null while that was not worth it. */
  unwatch: Undo | null = null;
  /** When it ended; 0: it has not. */
  endedNs = 0;

  constructor(key: string, client: EntityId, origin: Caller, transaction: number) {
    this.key = key;
    this.client = client;
    this.origin = origin;
    this.transaction = transaction;
  }

  get abandoned(): boolean {
    return this.over || this.bereft;
  }

  get works(): boolean {
    return this.arrivals.some(({ state }) => state === 'working' || state === 'leaving');
  }
}

export class HeldTransactions {
  readonly #engine: Engine;
  /** Something works on them. */
  readonly #working = new Map<string, HeldTransaction>();
  /** In the order in which they ended. */
  readonly #ended = new Map<string, HeldTransaction>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The newest one of the client, if it is remembered. */
  newest(client: EntityId, { host, bootId }: Caller): HeldTransaction | undefined {
    const key = `${client}/${host}/${bootId}`;
    return this.#working.get(key) ?? this.#ended.get(key);
  }

  make(client: EntityId, origin: Caller, transaction: number): HeldTransaction {
    return new HeldTransaction(`${client}/${origin.host}/${origin.bootId}`, client, origin, transaction);
  }

  /** Notes it as the newest of its client; and forgets what nobody will ask for. */
  keep(held: HeldTransaction): void {
    const { nowNs } = this.#engine;
    for (const old of this.#ended.values()) {
      if (nowNs - old.endedNs < keptNs) break;
      this.#ended.delete(old.key);
    }
    this.#working.delete(held.key);
    this.#ended.delete(held.key);
    if (held.works) {
      this.#working.set(held.key, held);
      return;
    }
    held.endedNs = nowNs;
    this.#ended.set(held.key, held);
    held.unwatch?.();
    held.unwatch = null;
  }

  /** Those that something works on. */
  working(): readonly HeldTransaction[] {
    return [...this.#working.values()];
  }

  /** Those of clients of a host. */
  of(host: HostId): readonly HeldTransaction[] {
    return [...this.#working.values(), ...this.#ended.values()].filter(({ origin }) => origin.host === host);
  }
}
