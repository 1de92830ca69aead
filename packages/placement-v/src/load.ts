/** What a host has said that it has to do. */
import type { queryLoad } from '@backplane/v-operations';

export type Load = ReturnType<typeof queryLoad.replied>;

/** Fewer processes that want a processor; among equals, more memory. */
export const isBetter = (a: Load, b: Load): boolean =>
  a.runnable !== b.runnable ? a.runnable < b.runnable : a.freeBytes > b.freeBytes;
