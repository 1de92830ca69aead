/** How a host has a file open: how many opens, and how many of them write or execute. */
import type { OpenHow } from '@backplane/slots';

export interface Uses {
  readonly opens: number;
  readonly writers: number;
  readonly executers: number;
}

export const noUses: Uses = { opens: 0, writers: 0, executers: 0 };

/** An open that empties the file counts as a writer, whatever else it is for. */
export const writes = (how: OpenHow): boolean => how.write === true || how.truncate === true;

export const usesOf = (how: OpenHow): Uses => ({
  opens: 1,
  writers: writes(how) ? 1 : 0,
  executers: how.execute === true ? 1 : 0,
});

export const plus = (a: Uses, b: Uses): Uses => ({
  opens: a.opens + b.opens,
  writers: a.writers + b.writers,
  executers: a.executers + b.executers,
});

/** Never below zero: a close may come twice in a reopening. */
export const minus = (a: Uses, b: Uses): Uses => ({
  opens: Math.max(0, a.opens - b.opens),
  writers: Math.max(0, a.writers - b.writers),
  executers: Math.max(0, a.executers - b.executers),
});
