/**
 * The board for slot `naming` as V has it (Cheriton 1988; Cheriton and Mann 1989): names are resolved by whoever manages
 * the objects, programs cache prefixes for themselves, and a miss is a question to all name handlers at once.
 *
 *   step                                       what may come of it
 *   the longest prefix in the program's cache  go there with the rest of the name: the operation carries it
 *   none: QueryName to the group               the answer with the longest prefix; note it
 *   no answer                                  `notFound`; asked again when there was one before, then `noAnswer`
 *   the manager says "not mine"                forget the prefix, ask again
 */
import { ms, seconds, type Task } from '@backplane/engine';
import { type Hint, LoopingView } from '@backplane/file-service';
import {
  type About,
  type Component,
  defineComponent,
  type Export,
  type Ipc,
  type Machine,
  type NameView,
  type Naming,
  type Response,
  type Undo,
} from '@backplane/slots';
import { z } from 'zod';
import { NameServer } from './name-server.ts';
import { type NameCounts, type NameQuery, ProgramNames } from './program-names.ts';
import { answered, askFor, nameHandlers } from './query-name.ts';
import { version } from './version.ts';

const options = z.strictObject({
  windowMs: z
    .number()
    .positive()
    .default(20)
    .describe('how long further answers are waited for after the first, in milliseconds'),
  patienceSeconds: z
    .number()
    .min(0)
    .default(60)
    .describe('how long a manager that has answered before is asked again, in seconds'),
});
export interface VNamingOptions {
  readonly windowMs?: number;
  readonly patienceSeconds?: number;
}

export const vNaming: Component<'naming', VNamingOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/naming-v',
  version,
  slot: 'naming',
  contract: 1,
  requires: ['ipc'],
  speaks: ['v-names'],
  serves: [{ protocol: 'v-names' }],
  options,
  create: ({ ipc }, { windowMs, patienceSeconds }, machine) =>
    new VNaming(ipc, machine, ms(windowMs), seconds(patienceSeconds)),
});

class VNaming implements Naming, NameQuery {
  readonly counts: NameCounts = { lookups: 0, multicasts: 0, learned: 0, forgotten: 0 };
  readonly patienceNs: number;
  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #windowNs: number;
  readonly #server: NameServer;

  constructor(ipc: Ipc, machine: Machine, windowNs: number, patienceNs: number) {
    this.patienceNs = patienceNs;
    this.#ipc = ipc;
    this.#machine = machine;
    this.#windowNs = windowNs;
    this.#server = new NameServer(ipc, machine);
    machine.metrics.register('naming.lookups', () => this.counts.lookups);
    machine.metrics.register('naming.broadcasts', () => this.counts.multicasts);
    machine.metrics.register('naming.prefixesLearned', () => this.counts.learned);
    machine.metrics.register('naming.hintsForgotten', () => this.counts.forgotten);
  }

  view(): NameView {
    return new LoopingView(new ProgramNames(this));
  }

  export(e: Export): Undo {
    return this.#server.export(e);
  }

  *ask(name: string, about: About): Task<readonly Hint[]> {
    const asker = this.#ipc.create({ name: 'name query', scope: this.#machine.scope, space: null });
    try {
      const { engine } = this.#machine;
      const found: Hint[] = [];
      const first = yield* asker.send(this.#ipc.wellKnownGroup(nameHandlers), askFor(name, about));
      const endNs = engine.nowNs + this.#windowNs;
      for (let r: Response | undefined = first; r !== undefined; ) {
        const hint = answered(r.message);
        if (hint !== undefined) found.push(hint);
        r = yield* asker.nextReply(Math.max(0, endNs - engine.nowNs));
      }
      return found;
    } finally {
      asker.destroy();
    }
  }
}
