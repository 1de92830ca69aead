/** Memory of a program in a check, in pages. */
import { ArrayMemory } from '@backplane/slots/testing';

const pageBytes = 4096;

/** @param lockedFrom from this address on nothing may be written */
export function pagesOf(count: number, lockedFrom: number = Number.POSITIVE_INFINITY): ArrayMemory {
  const memory = new ArrayMemory(count * pageBytes, { pageBytes });
  memory.lockedFrom = lockedFrom;
  return memory;
}
