/**
 * The board for slot `servers` that keeps the clocks of hosts together: a process on each host, outside of the kernel, which
 * only tells time and has it changed (Cheriton 1988). How much is changed is our own: towards the mean of what was heard.
 *
 *   event            action
 *   each period      tell the others our time, by datagram; go towards the mean of theirs and ours, as heard since
 *   a time arrives   note by how much it differs from ours
 *
 * Nobody is the master, and nobody is missed: a host that is silent or new counts or does not. What a message takes on its
 * way makes every clock look a little late, and all of them alike.
 */
import { seconds, sleep, type Task, tasks } from '@backplane/engine';
import {
  type Component,
  codeOf,
  defineComponent,
  type EntityId,
  type Ipc,
  type IpcProcess,
  type Machine,
  wellKnown,
} from '@backplane/slots';
import { announceTime, ask, getTime, setTime, slewTime, tell } from '@backplane/v-operations';
import { z } from 'zod';
import { meanAhead } from './mean.ts';
import { version } from './version.ts';

const options = z.strictObject({
  periodSeconds: z.number().positive().default(30).describe('how often a host tells its time'),
  stepMs: z
    .number()
    .positive()
    .default(1000)
    .describe('from which difference on a clock is set instead of slewed, in milliseconds'),
});
export interface TimeSyncOptions {
  readonly periodSeconds?: number;
  readonly stepMs?: number;
}

export const timeSync: Component<'servers', TimeSyncOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/time-sync-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc'],
  options,
  create: ({ ipc }, { periodSeconds, stepMs }, machine) =>
    new TimeSync(ipc, machine, seconds(periodSeconds), stepMs * 1e6),
});

class TimeSync {
  static {
    tasks(TimeSync);
  }

  readonly process: EntityId;
  readonly #listener: IpcProcess;
  readonly #teller: IpcProcess;
  readonly #others: EntityId;
  readonly #timeServers: EntityId;
  readonly #periodNs: number;
  readonly #stepNs: number;
  /** How much theirs are ahead of ours, by who told it, since the last correction. */
  readonly #heard = new Map<EntityId, number>();
  #corrections = 0;

  constructor(ipc: Ipc, machine: Machine, periodNs: number, stepNs: number) {
    const { scope } = machine;
    this.#listener = ipc.create({ name: 'time listener', scope, space: null });
    this.#teller = ipc.create({ name: 'time teller', scope, space: null });
    this.process = this.#listener.id;
    this.#others = ipc.wellKnownGroup(wellKnown.timeSynchronizers);
    this.#timeServers = ipc.wellKnownGroup(wellKnown.timeServers);
    this.#periodNs = periodNs;
    this.#stepNs = stepNs;
    this.#listener.join(this.#others);
    machine.metrics.register('v.clockCorrections', () => this.#corrections);
    scope.spawn('time listener', this.#listen());
    scope.spawn('time teller', this.#tell(machine.random('clocks').below(periodNs)));
  }

  *#listen(): Task<void> {
    for (;;) {
      const { message } = yield* this.#listener.receive();
      if (codeOf(message) !== announceTime.code) continue;
      const { process, nowNs } = announceTime.requested(message);
      if (process !== this.process) this.#heard.set(process, nowNs - (yield* this.#now(this.#listener)));
    }
  }

  /** @param firstNs so that hosts that boot together do not tell at once */
  *#tell(firstNs: number): Task<void> {
    yield* sleep(firstNs);
    for (;;) {
      yield* this.#correct();
      const nowNs = yield* this.#now(this.#teller);
      yield* tell(this.#teller, this.#others, announceTime, { process: this.process, nowNs });
      yield* sleep(this.#periodNs);
    }
  }

  *#correct(): Task<void> {
    if (this.#heard.size === 0) return;
    const ahead = meanAhead([...this.#heard.values()]);
    this.#heard.clear();
    this.#corrections++;
    const here = { beside: this.#teller.id };
    if (Math.abs(ahead) >= this.#stepNs) {
      const nowNs = (yield* this.#now(this.#teller)) + ahead;
      yield* ask(this.#teller, this.#timeServers, setTime, { nowNs }, here);
    } else {
      const microseconds = Math.round(ahead / 1000);
      yield* ask(this.#teller, this.#timeServers, slewTime, { microseconds }, here);
    }
  }

  *#now(self: IpcProcess): Task<number> {
    return (yield* ask(self, this.#timeServers, getTime, {}, { beside: self.id })).nowNs;
  }
}
