/** What every transport tells those who listen to the engine's trace, so that whoever shows calls shows those of each. */
import type { HostId } from '@backplane/slots';

export interface RpcTraceKinds {
  /** A call begins. */
  'rpc.call': {
    readonly to: HostId;
    readonly procedure: number;
    /** Always 0 where there are none. */
    readonly channel: number;
    /** The protocol's own name for the call. */
    readonly id: number;
    /** Parameters and data of the request. */
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
  /** The handler has ended: with a reply, with an error that the client is told, or killed before its end. */
  'rpc.served': {
    readonly from: HostId;
    readonly procedure: number;
    readonly id: number;
    readonly outcome: string;
  };
  /** A wait ended in silence, and what may be lost is sent again. */
  'rpc.timeout': { readonly to: HostId; readonly id: number; readonly tries: number };
  /** The monitor thinks otherwise of a host: `PeerState`. */
  'rpc.peer': { readonly host: HostId; readonly state: string; readonly bootId: number };
}

declare module '@backplane/engine' {
  interface TraceKinds extends RpcTraceKinds {}
}
