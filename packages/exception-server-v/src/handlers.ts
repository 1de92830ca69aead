/** Who handles the exceptions of whom. */
import { type EntityId, noEntity } from '@backplane/slots';

export class Handlers {
  readonly #ofProcess = new Map<EntityId, EntityId>();
  readonly #ofSpace = new Map<number, EntityId>();
  #ofAll: EntityId | undefined;

  /** @param process `noEntity`: the others of the space. @param space 0: the others of the host */
  set(process: EntityId, space: number, handler: EntityId): void {
    if (process !== noEntity) this.#ofProcess.set(process, handler);
    else if (space !== 0) this.#ofSpace.set(space, handler);
    else this.#ofAll = handler;
  }

  /** The closest ones first: the next is asked when one is gone. */
  of(process: EntityId, space: number): readonly EntityId[] {
    return [this.#ofProcess.get(process), this.#ofSpace.get(space), this.#ofAll].filter(
      (h) => h !== undefined,
    );
  }

  /** It has died. */
  drop(handler: EntityId): void {
    for (const [process, h] of this.#ofProcess) if (h === handler) this.#ofProcess.delete(process);
    for (const [space, h] of this.#ofSpace) if (h === handler) this.#ofSpace.delete(space);
    if (this.#ofAll === handler) this.#ofAll = undefined;
  }

  get count(): number {
    return this.#ofProcess.size + this.#ofSpace.size + (this.#ofAll === undefined ? 0 : 1);
  }
}
