/**
 * A host's questions for its programs. While no replica of the directory answers, there is no use in asking each time: they
 * are asked again after a while, or when one announces itself.
 */
import { type Task, tasks } from '@backplane/engine';
import type { About, EntityId, Machine } from '@backplane/slots';
import type { Answer } from './answer.ts';
import { type NameCounts, noCounts } from './counts.ts';
import { Directory } from './directory.ts';
import type { Questions } from './questions.ts';
import type { Known, NameQuery } from './search.ts';

const unheard: Known = { directory: 'silent', registrations: [] };

export class HostQuery implements NameQuery {
  static {
    tasks(HostQuery);
  }

  readonly counts: NameCounts = noCounts();
  readonly checks: boolean;
  readonly patienceNs: number;
  readonly #machine: Machine;
  readonly #questions: Questions;
  /** Until then no replica is expected to answer. */
  #silentUntilNs = 0;

  constructor(machine: Machine, questions: Questions, patienceNs: number, checks: boolean) {
    this.#machine = machine;
    this.#questions = questions;
    this.patienceNs = patienceNs;
    this.checks = checks;
  }

  get nowNs(): number {
    return this.#machine.engine.nowNs;
  }

  /** A replica is there. */
  heard(): void {
    this.#silentUntilNs = 0;
  }

  get directoryExpected(): boolean {
    return this.nowNs >= this.#silentUntilNs;
  }

  everybody(name: string, about: About, brief: boolean): Task<readonly Answer[]> {
    return this.#questions.everybody(name, about, brief);
  }

  sharers(prefix: string, name: string, about: About, brief: boolean): Task<readonly Answer[]> {
    return this.#questions.sharers(prefix, name, about, brief);
  }

  handler(handler: EntityId, name: string, about: About): Task<readonly Answer[]> {
    return this.#questions.handler(handler, name, about);
  }

  *directory(name: string, about: About): Task<Known> {
    if (!this.directoryExpected) return unheard;
    this.counts.directory++;
    const replies = yield* this.#questions.directory(name, about);
    if (replies.length === 0) {
      this.#silentUntilNs = this.nowNs + this.patienceNs;
      return unheard;
    }
    // What one replica has missed another one knows.
    const all = new Directory();
    for (const { registrations } of replies) for (const r of registrations) all.merge(r);
    return {
      directory: replies.some(({ settled }) => settled) ? 'sure' : 'unsure',
      registrations: all.find(name, about),
    };
  }
}
