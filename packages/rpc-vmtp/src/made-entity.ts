/**
 * An entity that was made by request (CreateEntity), from then until a program of its host serves it.
 *
 *   state    event                        action                                      next
 *   vacant   a request that is admitted   put it in line: by priority, then arrival   vacant
 *   vacant   a program attaches it        hand it all that waits, in that order       served
 *   served   a request, or a signal       to the program                              served
 *
 * How many may wait is not decided here: see `EntityServices`.
 */
import { type Delivery, type EntityService, message, type Undo } from '@backplane/slots';
import { responseCodes } from './codes.ts';
import type { ServedRequest } from './served-request.ts';

export class MadeEntity implements EntityService {
  #program: EntityService | null = null;
  readonly #waiting: ServedRequest[] = [];
  /** Ends it. */
  leave: Undo = () => {};

  /** Whose it is; null: nobody's yet. */
  get program(): EntityService | null {
    return this.#program;
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  arrived(request: ServedRequest): Delivery {
    if (this.#program !== null) return this.#program.arrived(request);
    const before = this.#waiting.findIndex((r) => r.priority > request.priority);
    this.#waiting.splice(before < 0 ? this.#waiting.length : before, 0, request);
    return 'taken';
  }

  abandoned(request: ServedRequest): void {
    const at = this.#waiting.indexOf(request);
    if (at >= 0) this.#waiting.splice(at, 1);
    else this.#program?.abandoned?.(request);
  }

  /** It is stopped. */
  clear(): void {
    this.#waiting.length = 0;
  }

  serve(program: EntityService): void {
    this.#program = program;
    for (const request of this.#waiting.splice(0)) {
      const verdict = program.arrived(request);
      // It was taken once: its client does not send it again.
      if (verdict === 'notAwaiting') request.respondNow(message({ code: responseCodes.notAwaitingMessage }));
      else if (verdict !== 'taken') request.respondNow(message({ code: responseCodes.busy }));
    }
  }
}
