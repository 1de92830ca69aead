/** The board for slot `naming`: one prefix table for the host, a working directory for each process. */

import { ms, type Task } from '@backplane/engine';
import { type Hint, type Hints, LoopingView, PrefixTable } from '@backplane/file-service';
import {
  type About,
  type Component,
  defineComponent,
  type Export,
  KernelError,
  type Machine,
  type NameView,
  type Naming,
  silent,
  type Transport,
  type Undo,
} from '@backplane/slots';
import { z } from 'zod';
import { locatePrefix } from './locate.ts';
import { version } from './version.ts';

const options = z.strictObject({
  windowMs: z
    .number()
    .positive()
    .default(500)
    .describe('how long one broadcast waits for an answer, in milliseconds'),
  tries: z.int().min(1).max(100).default(4).describe('broadcasts before a prefix is called unanswered'),
});
export interface PrefixNamingOptions {
  readonly windowMs?: number;
  readonly tries?: number;
}

export const prefixNaming: Component<'naming', PrefixNamingOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/naming-prefix',
  version,
  slot: 'naming',
  contract: 1,
  requires: ['transport'],
  speaks: ['prefix'],
  serves: [{ protocol: 'prefix' }],
  options,
  create: ({ transport }, { windowMs, tries }, machine) =>
    new PrefixNaming(transport, machine, ms(windowMs), tries),
});

class PrefixNaming implements Naming, Hints {
  readonly #transport: Transport;
  readonly #windowNs: number;
  readonly #tries: number;
  readonly #table = new PrefixTable();
  #lookups = 0;
  #broadcasts = 0;
  #learned = 0;
  #forgotten = 0;

  constructor(transport: Transport, machine: Machine, windowNs: number, tries: number) {
    this.#transport = transport;
    this.#windowNs = windowNs;
    this.#tries = tries;
    const table = this.#table;
    transport.serve(locatePrefix, function* (prefix) {
      return table.exported(prefix) ?? silent;
    });
    machine.metrics.register('naming.lookups', () => this.#lookups);
    machine.metrics.register('naming.broadcasts', () => this.#broadcasts);
    machine.metrics.register('naming.prefixesLearned', () => this.#learned);
    machine.metrics.register('naming.hintsForgotten', () => this.#forgotten);
  }

  view(): NameView {
    return new LoopingView(this);
  }

  export(e: Export): Undo {
    return this.#table.export(e);
  }

  *locate(path: string, about: About): Task<Hint> {
    this.#lookups++;
    const entry = this.#table.match(path, about);
    for (let tries = 0; entry.hint === null; tries++) {
      if (tries === this.#tries)
        throw new KernelError(entry.answered ? 'noAnswer' : 'notFound', entry.prefix);
      this.#broadcasts++;
      const answers = yield* this.#transport.ask(locatePrefix, entry.prefix, {
        windowNs: this.#windowNs,
        enough: 1,
      });
      const answer = answers[0];
      // Another thread, or an export, may have been faster.
      if (answer !== undefined && entry.hint === null) {
        entry.hint = { ...answer.reply, prefix: entry.prefix };
        entry.answered = true;
      }
    }
    return entry.hint;
  }

  learn(prefix: string): void {
    this.#learned++;
    this.#table.learn(prefix);
  }

  forget(hint: Hint): void {
    if (this.#table.forget(hint)) this.#forgotten++;
  }
}
