/** What this protocol tells those who listen to the engine's trace. */
import type { HostId, Machine } from '@backplane/slots';

/** So many blocks of a file have survived a crash of their client, and what becomes of them. */
export interface SurvivorsFields {
  readonly server: HostId;
  readonly label: string;
  readonly blocks: number;
  readonly outcome: 'found' | 'left' | 'admitted' | 'refused';
}

declare module '@backplane/engine' {
  interface TraceKinds {
    'files.survivors': SurvivorsFields;
  }
}

export function traceSurvivors({ engine, scope }: Machine, fields: SurvivorsFields): void {
  if (engine.trace.on) engine.trace.emit('files.survivors', scope, fields);
}
