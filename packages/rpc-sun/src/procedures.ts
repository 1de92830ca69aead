/** The procedures that the boards of this host serve. */
import type { Task } from '@backplane/engine';
import type { Caller, Procedure, Silent, Undo } from '@backplane/slots';
import { procedureTaken } from './errors.ts';
import { nullProcedure } from './layout.ts';

/** A procedure with its handler, types forgotten: each pair was of one type when it was registered. */
export interface Served {
  readonly procedure: Procedure<unknown, unknown>;
  readonly handler: (request: unknown, from: Caller) => Task<unknown>;
}

export class ServedProcedures {
  readonly #machine: string;
  readonly #served = new Map<number, Served>();

  constructor(machine: string) {
    this.#machine = machine;
  }

  serve<Q, R>(procedure: Procedure<Q, R>, handler: (request: Q, from: Caller) => Task<R | Silent>): Undo {
    const { id, name } = procedure;
    const other = id === nullProcedure ? 'null' : this.#served.get(id)?.procedure.name;
    if (other !== undefined) throw procedureTaken(this.#machine, id, name, other);
    const served = { procedure, handler } as unknown as Served; // boundary: the pair stays together
    this.#served.set(id, served);
    return () => {
      if (this.#served.get(id) === served) this.#served.delete(id);
    };
  }

  get(id: number): Served | undefined {
    return this.#served.get(id);
  }
}
