/**
 * An entry: what the agenda dispatches, a thread or a timer. It belongs to a scope and knows its place in the event
 * queue and among the entries of its scope, so that a scope drops all it owns without a search.
 *
 * Here and in thread.ts the fields that every event touches come first: they share cache lines.
 */
import type { Agenda } from './agenda.ts';
import type { Scope } from './scope.ts';
import type { WaitList } from './wait-list.ts';

export const THREAD = 0;
export const TIMER = 1;
export type Kind = typeof THREAD | typeof TIMER;

export abstract class Entry {
  /** @internal Place in the event queue; -1 when not queued. */
  slot = -1;
  /** @internal */
  readonly kind: Kind;
  /** Counted by the engine in order of creation; goes into the event log. */
  readonly id: number;
  /** @internal */
  readonly agenda: Agenda;
  readonly scope: Scope;
  readonly name: string;
  /** @internal Neighbours in the scope's chain. */
  before: Entry | null = null;
  /** @internal */
  after: Entry | null = null;

  constructor(kind: Kind, scope: Scope, name: string) {
    this.kind = kind;
    this.agenda = scope.agenda;
    this.id = this.agenda.entries++;
    this.scope = scope;
    this.name = name;
  }

  /** @internal Its instant has come. */
  abstract fire(): void;
  /** Leaves its wait and cleans up. */
  abstract cancel(): void;
  /** @internal Power off: leaves everything, runs nothing. Whoever waits for its end goes to `orphans`. */
  abstract die(orphans: WaitList[]): void;
}
