/** What a drive tells those who listen to the engine's trace. Together the records order everything that reached the medium. */
declare module '@backplane/engine' {
  interface TraceKinds {
    /** A request has ended. */
    'disk.request': {
      readonly disk: string;
      readonly operation: 'read' | 'write';
      readonly sector: number;
      readonly count: number;
      readonly queuedNs: number;
      readonly startNs: number;
      readonly seekNs: number;
      readonly rotationNs: number;
      readonly fromBuffer: boolean;
      /** A rule made it fail. */
      readonly failed: boolean;
    };
    /** Everything written before is stored. */
    'disk.barrier': { readonly disk: string };
    /** The power failed in the middle of a write: so many of its sectors are stored, from the first. */
    'disk.cut': {
      readonly disk: string;
      readonly sector: number;
      readonly count: number;
      readonly stored: number;
    };
  }
}

/** Makes this file a module that others import for its declarations. */
export type DiskTraceKind = 'disk.request' | 'disk.barrier' | 'disk.cut';
