/**
 * The board for slot `servers` that finds a host for a program, as V did: by asking all program managers at once. Those that
 * will not take it are silent, the others say how much they have to do (Theimer, Lantz and Cheriton 1985; Cheriton 1988). V
 * lends busy hosts, too, at guest priority; nobody's workstation is taken from him.
 *
 *   choose   what is taken
 *   least    of the answers within the window, the one with the fewest processes that want a processor, then the most memory
 *   first    the first answer: the fastest to answer is likely to have least to do
 */
import { ms, type Task, tasks } from '@backplane/engine';
import {
  type Component,
  codeOf,
  defineComponent,
  type EntityId,
  type Ipc,
  KernelError,
  type Machine,
  ReplyCode,
  wellKnown,
} from '@backplane/slots';
import {
  ask,
  findProgramManager,
  Operations,
  orNothing,
  queryLoad,
  selectHost,
} from '@backplane/v-operations';
import { z } from 'zod';
import { isBetter, type Load } from './load.ts';
import { version } from './version.ts';

const options = z.strictObject({
  choose: z
    .enum(['least', 'first'])
    .default('least')
    .describe('whether the least loaded host is taken, or the first that answers'),
  windowMs: z
    .number()
    .positive()
    .default(20)
    .describe('how long further answers are waited for after the first, in milliseconds'),
});
export interface PlacementOptions {
  readonly choose?: 'least' | 'first';
  readonly windowMs?: number;
}

export const placement: Component<'servers', PlacementOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/placement-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc'],
  options,
  create: ({ ipc }, { choose, windowMs }, machine) =>
    new Placement(ipc, machine, choose === 'least' ? ms(windowMs) : 0),
});

class Placement {
  static {
    tasks(Placement);
  }

  readonly process: EntityId;
  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #managers: EntityId;
  readonly #windowNs: number;
  #selections = 0;

  /** @param windowNs 0: the first answer will do */
  constructor(ipc: Ipc, machine: Machine, windowNs: number) {
    this.#ipc = ipc;
    this.#machine = machine;
    this.#managers = ipc.wellKnownGroup(wellKnown.programManagers);
    this.#windowNs = windowNs;
    const server = ipc.create({ name: 'placement', scope: machine.scope, space: null });
    this.process = server.id;
    new Operations().on(selectHost, (q) => this.#select(q)).serve(server, Number.POSITIVE_INFINITY);
    server.join(ipc.wellKnownGroup(wellKnown.placementServers));
    machine.metrics.register('v.placements', () => this.#selections);
  }

  /** A process for each question: replies to a group come to who asked last. */
  *#select(q: ReturnType<typeof selectHost.requested>): Task<ReturnType<typeof selectHost.replied>> {
    this.#selections++;
    const asker = this.#ipc.create({ name: 'placement', scope: this.#machine.scope, space: null });
    try {
      const found = orNothing(ask(asker, this.#managers, findProgramManager, {}, { beside: asker.id }));
      const own = q.elsewhere === 1 ? (yield* found)?.manager : undefined;
      const { engine } = this.#machine;
      const { memoryBytes, machineType } = q;
      const first = yield* asker.send(
        this.#managers,
        queryLoad.request({ memoryBytes, guest: q.elsewhere, machineType }),
      );
      const endNs = engine.nowNs + this.#windowNs;
      let best: Load | undefined;
      let answers = 0;
      for (let r: typeof first | undefined = first; r !== undefined; ) {
        const load: Load | undefined =
          codeOf(r.message) === ReplyCode.ok ? queryLoad.replied(r.message) : undefined;
        if (load !== undefined && load.manager !== own) {
          answers++;
          if (best === undefined || isBetter(load, best)) best = load;
        }
        // Our own host answers first, as a rule, and may not count.
        const leftNs: number = best === undefined ? patienceNs : endNs - engine.nowNs;
        r = leftNs > 0 ? yield* asker.nextReply(leftNs) : undefined;
      }
      if (best === undefined) throw new KernelError('noAnswer', 'no host takes the program');
      return { manager: best.manager, runnable: best.runnable, answers };
    } finally {
      asker.destroy();
    }
  }
}

/** For a first answer that counts. */
const patienceNs = /* @__PURE__ */ ms(100);
