/** What this protocol tells those who listen to the engine's trace, besides what every transport tells. */
import type { HostId } from '@backplane/slots';

export interface SpriteRpcTraceKinds {
  /** The server has acknowledged a call ten times and not replied; the call goes on. */
  'rpc.hung': { readonly to: HostId; readonly procedure: number; readonly id: number };
  /** A packet of another version came from there. Told once for a sender, for the first four of them. */
  'rpc.wrongVersion': { readonly sender: number };
}

declare module '@backplane/engine' {
  interface TraceKinds extends SpriteRpcTraceKinds {}
}
