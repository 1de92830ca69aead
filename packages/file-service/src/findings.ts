/** What an audit has found so far: in order, and no more than anybody would read, since bad bytes must not fill the memory. */
import type { Finding } from '@backplane/slots';

const findingsMax = 1000;

export class Findings {
  readonly list: Finding[] = [];
  #left = 0;

  /** Returns false, for callers that go on only where nothing was wrong. */
  report(kind: string, where: string, text: string, sector?: number): false {
    if (this.list.length < findingsMax)
      this.list.push({ kind, where, text, ...(sector !== undefined && { sector }) });
    else this.#left++;
    return false;
  }

  all(): readonly Finding[] {
    if (this.#left === 0) return this.list;
    return [...this.list, { kind: 'more', where: 'disk', text: `${this.#left} more of such findings` }];
  }
}
