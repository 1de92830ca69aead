/** What a scope owns, in order of arrival: a doubly linked list through the entries themselves. */
import type { Entry } from './entry.ts';

export class Chain {
  first: Entry | null = null;
  private last: Entry | null = null;

  add(e: Entry): void {
    const { last } = this;
    e.before = last;
    if (last === null) this.first = e;
    else last.after = e;
    this.last = e;
  }

  remove(e: Entry): void {
    const { before, after } = e;
    if (before === null) this.first = after;
    else before.after = after;
    if (after === null) this.last = before;
    else after.before = before;
    e.before = e.after = null;
  }
}
