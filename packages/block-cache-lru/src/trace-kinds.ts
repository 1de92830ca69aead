/** What the cache tells those who listen to the engine's trace. */
declare module '@backplane/engine' {
  interface TraceKinds {
    /** The non-volatile memory is full: its oldest block is written back. */
    'cache.asideFull': { readonly object: string; readonly block: number; readonly ageNs: number };
  }
}

/** Makes this file a module that others import for its declarations. */
export type CacheTraceKind = 'cache.asideFull';
