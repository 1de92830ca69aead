/** Managers, and a directory, that may come and go; programs ask them without a network. */
import { Engine, type Task } from '@backplane/engine';
import type { Hint } from '@backplane/file-service';
import { type About, authority, type EntityId, entityId, token } from '@backplane/slots';
import type { Answer } from '../src/answer.ts';
import { capabilityOf, imageOf } from '../src/capability.ts';
import { type NameCounts, noCounts } from '../src/counts.ts';
import type { Claim, Registration } from '../src/registration.ts';
import { covers } from '../src/registration.ts';
import type { Known, NameQuery } from '../src/search.ts';
import type { Share } from '../src/share.ts';

export const hint = (prefix: string, manager: string): Hint => ({
  prefix,
  protocol: 'test',
  authority: authority(manager),
  root: token(`root of ${prefix}`),
});

export const handlerOf = (digit: string): EntityId => entityId(digit.repeat(16));

export const claim = (prefix: string, o: Partial<Claim> = {}): Claim => ({
  prefix,
  share: null,
  substitute: '',
  handler: handlerOf('a'),
  stampNs: 1,
  gone: false,
  ...o,
});

/** One host's part in it. */
export interface Manager {
  readonly answer: Answer;
  readonly share?: Share;
  readonly handler?: EntityId;
}

export const manager = (prefix: string, name: string, o: { readonly phrase?: string } = {}): Manager => ({
  answer: { lead: hint(prefix, name), capability: capabilityOf(o.phrase ?? '', prefix) },
});

export class Managers implements NameQuery {
  readonly counts: NameCounts = noCounts();
  readonly patienceNs = 5e9;
  readonly engine: Engine = new Engine();
  /** Questions in words, in order. */
  readonly asked: string[] = [];
  checks = false;
  /** The directory was expected to answer, whether it does or not. */
  surprise = false;
  /** Nobody answers in time for a brief question. */
  slow = false;
  managers: readonly Manager[];
  /** Whom the directory alone can reach. */
  aside: readonly Manager[] = [];
  known: Known = { directory: 'silent', registrations: [] };

  constructor(...managers: readonly Manager[]) {
    this.managers = managers;
  }

  get nowNs(): number {
    return this.engine.nowNs;
  }

  get directoryExpected(): boolean {
    return this.known.directory !== 'silent' || this.surprise;
  }

  *everybody(name: string, about: About, brief: boolean): Task<readonly Answer[]> {
    this.asked.push(`everybody ${name}`);
    if (brief && this.slow) return [];
    return answers(this.managers, name, about);
  }

  *sharers(prefix: string, name: string, about: About): Task<readonly Answer[]> {
    this.asked.push(`sharers of ${prefix} ${name}`);
    const of = this.managers.filter((m) => m.share !== undefined && m.answer.lead.prefix === prefix);
    return answers(of, name, about);
  }

  *handler(handler: EntityId, name: string, about: About): Task<readonly Answer[]> {
    this.asked.push(`${handler.charAt(0)} ${name}`);
    const of = [...this.managers, ...this.aside].filter((m) => m.handler === handler);
    return answers(of, name, about);
  }

  *directory(name: string, about: About): Task<Known> {
    this.asked.push(`directory ${name}`);
    const { directory, registrations } = this.known;
    return { directory, registrations: registrations.filter((r) => covers(r, name, about)) };
  }

  run<T>(body: Task<T>): T {
    const thread = this.engine.root.spawn('test', body);
    const ended: { value?: T } = {};
    this.engine.root.spawn(
      'join',
      (function* (): Task<void> {
        ended.value = yield* thread.join();
      })(),
    );
    this.engine.run();
    return ended.value as T;
  }
}

const answers = (managers: readonly Manager[], name: string, about: About): readonly Answer[] =>
  managers
    .filter(({ answer: { lead }, share = null }) => covers(claim(lead.prefix, { share }), name, about))
    .map(({ answer, share }) => (share === undefined ? answer : { ...answer, share }));

export const registration = (
  prefix: string,
  o: Partial<Claim> & { readonly phrase?: string } = {},
): Registration => {
  const { phrase = '', ...rest } = o;
  return { ...claim(prefix, rest), image: imageOf(capabilityOf(phrase, prefix)) };
};
