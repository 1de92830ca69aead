/**
 * A host's part of the name-handling group: answers for the prefixes that its managers export and for its aliases, and is
 * silent about others. Of a directory that it shares it answers for its own names, as a member of that directory's group, too.
 */
import type { Task } from '@backplane/engine';
import { type Hint, isUnder, PrefixTable } from '@backplane/file-service';
import {
  type EntityId,
  type Export,
  type Ipc,
  type IpcProcess,
  type Machine,
  type Message,
  type Received,
  type Undo,
  wellKnown,
} from '@backplane/slots';
import { type Answer, isAlias, type Lead } from './answer.ts';
import { capabilityOf } from './capability.ts';
import { isAnnounce } from './directory-messages.ts';
import { answer, askedFor, type NameQuestion } from './query-name.ts';
import type { Registrar } from './registrar.ts';
import { firstBelow, holds, type Share, sharersGroup } from './share.ts';

/** What this host says of names beside what its managers export. */
export interface NameRules {
  /** Prefixes that stand for others. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Prefixes that its managers share with those of other hosts, and the range that they have of each. */
  readonly shares: ReadonlyMap<string, Share>;
  /** From which the capabilities of its prefixes are made; empty: they have none. */
  readonly phrase: string;
}

export class NameServer {
  readonly #exports = new PrefixTable();
  readonly #rules: NameRules;
  readonly #registrar: Registrar;
  readonly #process: IpcProcess;
  readonly #ipc: Ipc;
  readonly #joined = new Set<EntityId>();

  /** @param heard called when a replica of the directory has announced itself */
  constructor(ipc: Ipc, machine: Machine, registrar: Registrar, rules: NameRules, heard: () => void) {
    this.#ipc = ipc;
    this.#rules = rules;
    this.#registrar = registrar;
    this.#process = ipc.create({ name: 'name server', scope: machine.scope, space: null });
    this.#process.serve((request) => {
      if (isAnnounce(request.message)) heard();
      return this.#answer(request);
    });
    this.#process.join(ipc.wellKnownGroup(wellKnown.nameHandlers));
    for (const [prefix, substitute] of rules.aliases) this.#register(prefix, null, substitute);
  }

  export(e: Export): Undo {
    const share = this.#rules.shares.get(e.prefix) ?? null;
    if (share !== null) this.#join(e.prefix);
    const undo = this.#exports.export(e);
    const withdraw = this.#register(e.prefix, share, '');
    return () => {
      undo();
      withdraw();
    };
  }

  *#answer({ message }: Received): Task<Message | 'discard'> {
    const asked = askedFor(message);
    const lead = asked && this.#lead(asked);
    if (lead === undefined) return 'discard';
    const capability = capabilityOf(this.#rules.phrase, lead.prefix);
    // Who checks the answer asks the directory: it is to know the prefix by then.
    if (capability !== '') yield* this.#registrar.registered();
    const share = isAlias(lead) ? undefined : this.#rules.shares.get(lead.prefix);
    return answer({ lead, capability, ...(share !== undefined && { share }) } satisfies Answer);
  }

  /** The longest prefix; an export rather than an alias of the same name. */
  #lead({ name, about }: NameQuestion): Lead | undefined {
    let best: Lead | undefined;
    for (const hint of this.#exports.exportsOf(name, about)) {
      const share = this.#rules.shares.get(hint.prefix);
      if (share !== undefined && !holds(share, firstBelow(hint.prefix, name))) continue;
      if (best === undefined || hint.prefix.length > best.prefix.length) best = lead(hint, share);
    }
    for (const [prefix, substitute] of this.#rules.aliases)
      if (isUnder(prefix, name) && !(about === 'entry' && prefix === name))
        if (best === undefined || prefix.length > best.prefix.length) best = { prefix, substitute };
    return best;
  }

  #join(prefix: string): void {
    const group = this.#ipc.wellKnownGroup(sharersGroup(prefix));
    if (this.#joined.has(group)) return;
    this.#joined.add(group);
    this.#process.join(group);
  }

  #register(prefix: string, share: Share | null, substitute: string): Undo {
    const claim = { prefix, share, substitute, handler: this.#process.id };
    return this.#registrar.claim(claim, capabilityOf(this.#rules.phrase, prefix));
  }
}

/** What is answered is what the manager exported, and nothing that it may have put beside it. */
const lead = ({ prefix, protocol, authority, root }: Hint, share: Share | undefined): Hint => ({
  prefix,
  protocol,
  authority,
  root,
  ...(share !== undefined && { shared: true as const }),
});
