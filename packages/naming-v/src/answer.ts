/**
 * What QueryName is answered with, and what a program notes of it: whom to ask about the names below a prefix, or which
 * prefix stands in its place.
 */
import type { Hint } from '@backplane/file-service';
import type { Capability } from './capability.ts';
import type { Share } from './share.ts';

/** Names below `prefix` are those below `substitute`. */
export interface Alias {
  readonly prefix: string;
  readonly substitute: string;
}

export type Lead = Hint | Alias;
export const isAlias = (l: Lead): l is Alias => 'substitute' in l;

export interface Answer {
  readonly lead: Lead;
  /** Shows that who answers is who has registered the prefix. */
  readonly capability: Capability;
  /** The names that the manager has, where several share the prefix. */
  readonly share?: Share;
}
