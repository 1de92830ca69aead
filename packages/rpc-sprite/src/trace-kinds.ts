/** What a transport tells those who listen to the engine's trace. */
import type { HostId } from '@backplane/slots';

export interface RpcTraceKinds {
  /** A call begins: its first packet goes out. */
  'rpc.call': {
    readonly to: HostId;
    readonly procedure: number;
    readonly channel: number;
    readonly id: number;
    readonly sizeBytes: number;
  };
  /** A call has ended: with a reply, with the error that the server answered, or without an answer. */
  'rpc.done': {
    readonly to: HostId;
    readonly procedure: number;
    readonly id: number;
    readonly outcome: string;
    readonly elapsedNs: number;
  };
  /** A handler is about to run for another host. */
  'rpc.serve': { readonly from: HostId; readonly procedure: number; readonly id: number };
  /** A wait ended in silence, and packets are sent again. */
  'rpc.timeout': { readonly to: HostId; readonly id: number; readonly tries: number };
  /** The server has acknowledged a call ten times and not replied; the call goes on. */
  'rpc.hung': { readonly to: HostId; readonly procedure: number; readonly id: number };
  /** The host monitor thinks otherwise of a host. */
  'rpc.peer': { readonly host: HostId; readonly state: string; readonly bootId: number };
  /** A packet of another version came from there. Told once for a sender, for the first four of them. */
  'rpc.wrongVersion': { readonly sender: number };
}

declare module '@backplane/engine' {
  interface TraceKinds extends RpcTraceKinds {}
}
