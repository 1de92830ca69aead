/** The procedures that this host serves: those of its boards, and what the transport itself serves as one of them. */
import type { Task } from '@backplane/engine';
import type { Caller, Procedure, Silent, Undo } from '@backplane/slots';
import { procedureTaken } from './errors.ts';

/** A procedure with its handler, types forgotten: each pair was of one type when it was registered. */
export interface Served {
  readonly procedure: Procedure<unknown, unknown>;
  readonly handler: (request: unknown, from: Caller) => Task<unknown>;
}

export class ServedProcedures {
  readonly #board: string;
  readonly #machine: string;
  readonly #reserved: Readonly<Record<number, string>>;
  readonly #served = new Map<number, Served>();

  /** @param reserved numbers that the protocol keeps for itself, and what they are called */
  constructor(board: string, machine: string, reserved: Readonly<Record<number, string>> = {}) {
    this.#board = board;
    this.#machine = machine;
    this.#reserved = reserved;
  }

  /** @throws BackplaneError `PROCEDURE_TAKEN` */
  serve<Q, R>(procedure: Procedure<Q, R>, handler: (request: Q, from: Caller) => Task<R | Silent>): Undo {
    const { id, name } = procedure;
    const other = this.#reserved[id] ?? this.#served.get(id)?.procedure.name;
    if (other !== undefined) throw procedureTaken(this.#board, this.#machine, id, name, other);
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
