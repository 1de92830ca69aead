/**
 * One page of an address space.
 *
 *   state       event                 action                                             next
 *   untouched   touch                 claim a frame, fill it from its source or zeros    clean
 *   clean       read                  note the use                                       clean
 *   clean       write                 note the use                                       dirty
 *   clean       the frame is wanted   give it back: the source has the content           untouched
 *   dirty       the frame is wanted   refuse: there is no backing store                  dirty
 */
import type { PageFrame, PageSource } from '@backplane/slots';

export class Page {
  readonly number: number;
  readonly writable: boolean;
  readonly source: PageSource | undefined;
  frame: PageFrame | null = null;
  dirty = false;
  usedNs = 0;

  constructor(number: number, writable: boolean, source: PageSource | undefined) {
    this.number = number;
    this.writable = writable;
    this.source = source;
  }
}
