/** What the chassis tells those who listen to the engine's trace. */
import type { MachineState } from './machine.ts';

declare module '@backplane/engine' {
  interface TraceKinds {
    /** A machine, the owner of the scope, has entered this state. */
    'machine.state': { readonly state: MachineState };
  }
}

/** Makes this file a module that others import for its declarations. */
export type MachineTraceKind = 'machine.state';
