/** Who of a group has responded, and what was not asked for yet: one response of each member. */
import type { EntityId } from '@backplane/slots';
import type { Ending } from './client-parts.ts';

/** More than a cluster has hosts. */
const keptMax = 256;

export class GroupAnswers {
  readonly #from = new Set<EntityId>();
  readonly #kept: Ending[] = [];

  get full(): boolean {
    return this.#kept.length >= keptMax;
  }

  /** How many are kept. */
  get count(): number {
    return this.#kept.length;
  }

  has(member: EntityId): boolean {
    return this.#from.has(member);
  }

  /** That member has responded. */
  note(member: EntityId): void {
    this.#from.add(member);
  }

  keep(ending: Ending): void {
    this.#kept.push(ending);
  }

  /** The next one that is asked for. */
  shift(): Ending | undefined {
    return this.#kept.shift();
  }

  first(count: number): readonly Ending[] {
    return this.#kept.slice(0, count);
  }
}
