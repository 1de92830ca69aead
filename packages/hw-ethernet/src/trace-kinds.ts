/** What a segment tells those who listen to the engine's trace. */
import type { StationAddress } from '@backplane/slots';

declare module '@backplane/engine' {
  interface TraceKinds {
    /** A frame was carried. Emitted when its last bit is out. */
    'ethernet.frame': {
      readonly from: string;
      readonly destination: StationAddress;
      readonly type: number;
      /** Destination to frame check sequence. */
      readonly sizeBytes: number;
      /** First bit of the preamble. */
      readonly startNs: number;
      /** Collisions that this frame met before. */
      readonly collisions: number;
    };
    /** Several stations sent at once. Emitted when the last of them has fallen silent. */
    'ethernet.collision': { readonly stations: readonly string[]; readonly startNs: number };
    /** A station gave a frame up after 16 collisions. */
    'ethernet.giveUp': { readonly from: string; readonly destination: StationAddress };
    /** A fault struck a frame on its way to one station. */
    'ethernet.fault': {
      readonly rule: string;
      readonly what: FaultKind;
      readonly from: string;
      readonly to: string;
    };
  }
}

export type FaultKind = 'drop' | 'delay' | 'duplicate' | 'damage';
