/**
 * What a run left on record: every write and every barrier in their order, and which operation was under way. Crash
 * states are made from it without running anything again.
 */

/** A request to the disk. */
export interface WriteEvent {
  readonly event: 'write';
  readonly sector: number;
  /** Contents of its sectors, one by one, as the medium numbers them. */
  readonly versions: readonly number[];
}

export type JournalEvent =
  | WriteEvent
  | { readonly event: 'barrier' }
  | { readonly event: 'begin' | 'end'; readonly operation: number };

export class Journal {
  readonly events: JournalEvent[] = [];
  writes = 0;

  write(sector: number, versions: readonly number[]): void {
    this.writes++;
    this.events.push({ event: 'write', sector, versions });
  }

  barrier(): void {
    this.events.push({ event: 'barrier' });
  }

  begin(operation: number): void {
    this.events.push({ event: 'begin', operation });
  }

  end(operation: number): void {
    this.events.push({ event: 'end', operation });
  }
}
