/**
 * How long attributes are trusted after they were heard: a sixteenth of the time since the file last changed, within
 * bounds. A file that has just changed is likely to change again; one that has not for a day will hardly now. SunOS
 * clients had this rule (the bounds are their mount options acregmin, acregmax, acdirmin, acdirmax).
 */
import type { StoredAttributes } from '@backplane/slots';

export interface TrustBounds {
  readonly fileMinNs: number;
  readonly fileMaxNs: number;
  readonly directoryMinNs: number;
  readonly directoryMaxNs: number;
}

export function trustNs(b: TrustBounds, a: StoredAttributes, nowNs: number): number {
  const age = Math.floor((nowNs - a.modifyNs) / 16);
  return a.type === 'directory'
    ? Math.min(Math.max(age, b.directoryMinNs), b.directoryMaxNs)
    : Math.min(Math.max(age, b.fileMinNs), b.fileMaxNs);
}
