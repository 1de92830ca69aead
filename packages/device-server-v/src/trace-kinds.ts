/** What a console tells those who listen to the engine's trace. */
declare module '@backplane/engine' {
  interface TraceKinds {
    /** A program has written to the console of the machine that owns the scope. */
    'console.write': { readonly bytes: Uint8Array };
  }
}

/** Makes this file a module that others import for its declarations. */
export type ConsoleTraceKind = 'console.write';
