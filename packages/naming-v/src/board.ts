/**
 * The board for slot `naming` as V has it (Cheriton 1988; Cheriton and Mann 1989): names are resolved by whoever manages
 * the objects, programs cache prefixes for themselves, and a miss is a question to all name handlers at once.
 *
 *   step                                       what may come of it
 *   the longest prefix in the program's cache  go there with the rest of the name: the operation carries it
 *   none: QueryName to the group               the answer with the longest prefix; note it
 *   no answer: the directory                   no such prefix; or its manager, who is asked directly
 *   the manager says "not mine"                forget the prefix, ask again
 */
import { ms, seconds } from '@backplane/engine';
import { tidy } from '@backplane/file-service';
import {
  type Component,
  defineComponent,
  type Export,
  type Ipc,
  type Machine,
  type NameView,
  type Naming,
  type Undo,
} from '@backplane/slots';
import { z } from 'zod';
import { DirectoryServer } from './directory-server.ts';
import { HostQuery } from './host-query.ts';
import { NameServer } from './name-server.ts';
import { ProgramNames } from './program-names.ts';
import { ProgramView } from './program-view.ts';
import { Questions } from './questions.ts';
import { Registrar } from './registrar.ts';
import { version } from './version.ts';

const prefix = z.string().regex(/^\/./, 'a prefix begins with a slash, and is not the root');
const options = z.strictObject({
  windowMs: z
    .number()
    .positive()
    .default(20)
    .describe('how long further answers are waited for after the first, in milliseconds'),
  briefMs: z
    .number()
    .positive()
    .default(500)
    .describe(
      'how long all name handlers are asked before the directory is, in milliseconds; without a directory they are asked until the transport gives up',
    ),
  patienceSeconds: z
    .number()
    .min(0)
    .default(60)
    .describe('how long a manager that is known to exist and does not answer is asked again, in seconds'),
  directory: z
    .boolean()
    .default(false)
    .describe('the machine holds a replica of the directory of all prefixes; at least two machines should'),
  check: z
    .boolean()
    .default(false)
    .describe(
      'programs believe an answer only if it shows the capability that the directory has the image of',
    ),
  capability: z
    .string()
    .default('')
    .describe(
      'the phrase from which the capabilities of the prefixes of this machine are made; empty: they have none',
    ),
  aliases: z
    .record(prefix, prefix)
    .default({})
    .describe('prefixes that this machine answers for with another prefix, which stands in their place'),
  shares: z
    .record(prefix, z.strictObject({ from: z.string().default(''), below: z.string().default('') }))
    .default({})
    .describe(
      'prefixes that this machine exports together with others: it has the names from `from` on and below `below`, in the order of their bytes; empty is without bound',
    ),
});
type Settings = z.output<typeof options>;

export interface VNamingOptions {
  readonly windowMs?: number;
  readonly briefMs?: number;
  readonly patienceSeconds?: number;
  readonly directory?: boolean;
  readonly check?: boolean;
  readonly capability?: string;
  readonly aliases?: Readonly<Record<string, string>>;
  readonly shares?: Readonly<Record<string, { readonly from?: string; readonly below?: string }>>;
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
  create: ({ ipc }, settings, machine) => new VNaming(ipc, machine, settings),
});

class VNaming implements Naming {
  readonly #query: HostQuery;
  readonly #server: NameServer;

  constructor(ipc: Ipc, machine: Machine, o: Settings) {
    const patienceNs = seconds(o.patienceSeconds);
    const questions = new Questions(ipc, machine, { windowNs: ms(o.windowMs), briefNs: ms(o.briefMs) });
    const registrar = new Registrar(machine, questions);
    const query = new HostQuery(machine, questions, patienceNs, o.check);
    const rules = {
      aliases: new Map(Object.entries(o.aliases).map(([p, substitute]) => [tidy(p), tidy(substitute)])),
      shares: new Map(Object.entries(o.shares).map(([p, share]) => [tidy(p), share])),
      phrase: o.capability,
    };
    this.#query = query;
    this.#server = new NameServer(ipc, machine, registrar, rules, () => {
      query.heard();
      registrar.tell();
    });
    const { counts } = query;
    const { metrics } = machine;
    metrics.register('naming.lookups', () => counts.lookups);
    metrics.register('naming.broadcasts', () => counts.multicasts);
    metrics.register('naming.lookupsMulticast', () => counts.lookupsMulticast);
    const percent = () => (100 * counts.lookupsMulticast) / Math.max(1, counts.lookups);
    metrics.register('naming.multicastPercent', percent, 'max');
    metrics.register('naming.directoryQuestions', () => counts.directory);
    metrics.register('naming.prefixesLearned', () => counts.learned);
    metrics.register('naming.hintsForgotten', () => counts.forgotten);
    metrics.register('naming.aliases', () => counts.aliases);
    metrics.register('naming.counterfeits', () => counts.counterfeits);
    if (o.directory) {
      const replica = new DirectoryServer(ipc, machine, questions, patienceNs);
      metrics.register('naming.claimsRefused', () => replica.refused);
      machine.scope.spawn('directory', replica.start());
    }
  }

  view(): NameView {
    return new ProgramView(new ProgramNames(this.#query));
  }

  adopt(view: NameView): NameView {
    return view instanceof ProgramView ? view.from(this.#query) : view;
  }

  export(e: Export): Undo {
    return this.#server.export(e);
  }
}
