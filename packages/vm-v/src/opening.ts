/** One instance of an open object at its manager, and how many here use it: who opened it, and regions. */
import type { Task } from '@backplane/engine';
import type { EntityId, ObjectInstance } from '@backplane/slots';

export interface Place {
  readonly manager: EntityId;
  readonly instance: number;
}

export class Opening {
  readonly writable: boolean;
  readonly reopen: (() => Task<Place>) | undefined;
  /** Another one after the manager's death. */
  place: Place;
  uses = 1;

  constructor({ manager, instance, writable = true, reopen }: ObjectInstance) {
    this.place = { manager, instance };
    this.writable = writable;
    this.reopen = reopen;
  }
}
