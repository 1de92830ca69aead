/**
 * Trace points: typed records that a board emits and a tool listens to. Not part of the event log's hash.
 *
 * A package adds its kinds by declaration merging; the fields are then checked where they are emitted:
 *
 *   declare module '@backplane/engine' {
 *     interface TraceKinds { 'rpc.call': { readonly procedure: string } }
 *   }
 *
 * Rule of use on a hot path: `if (trace.on) trace.emit(...)`, so that nothing is built when nobody listens.
 */
import type { Agenda } from './agenda.ts';
import type { Scope } from './scope.ts';

/** Kind to fields; open to declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by those who emit
export interface TraceKinds {}

/** One record. Its fields are those of its kind. */
export type TraceEvent = {
  [K in keyof TraceKinds]: {
    readonly timeNs: number;
    readonly scope: Scope;
    readonly kind: K;
    readonly fields: TraceKinds[K];
  };
}[keyof TraceKinds];

/** Receives the records it asked for. It must not change the course of the run. */
export type TraceSink = (e: TraceEvent) => void;

interface Listener {
  readonly kinds: ReadonlySet<keyof TraceKinds> | '*';
  readonly sink: TraceSink;
}

export class Trace {
  /** Whether anybody listens to anything. */
  on = false;
  private listeners: readonly Listener[] = [];
  private readonly agenda: Agenda;

  /** Made by the engine. */
  constructor(agenda: Agenda) {
    this.agenda = agenda;
  }

  emit<K extends keyof TraceKinds>(kind: K, scope: Scope, fields: TraceKinds[K]): void {
    if (!this.on) return;
    const e = { timeNs: this.agenda.nowNs, scope, kind, fields } as TraceEvent; // boundary: K picks one of the union
    for (const { kinds, sink } of this.listeners) if (kinds === '*' || kinds.has(kind)) sink(e);
  }

  /**
   * Listens to some kinds, or to all. Sinks are called in the order in which they came, inside the emitting call.
   *
   * @returns ends it
   */
  listen(kinds: readonly (keyof TraceKinds)[] | '*', sink: TraceSink): () => void {
    const listener: Listener = { kinds: kinds === '*' ? kinds : new Set(kinds), sink };
    this.listeners = [...this.listeners, listener];
    this.on = true;
    return () => {
      this.listeners = this.listeners.filter((l) => l !== listener);
      this.on = this.listeners.length > 0;
    };
  }
}
