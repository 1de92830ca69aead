/** The two switches: file protocols by name, kinds of object by name. What is missing is said with what there is. */
import { BackplaneError, type FileProtocol, nearest, type ObjectKind, type Undo } from '@backplane/slots';

export class Switch<T> {
  readonly #what: string;
  readonly #entries = new Map<string, T>();

  constructor(what: string) {
    this.#what = what;
  }

  add(name: string, entry: T): Undo {
    if (this.#entries.has(name))
      throw new BackplaneError(
        'REGISTERED_TWICE',
        { what: this.#what, name },
        `Two boards register the ${this.#what} "${name}".`,
        'Take one of them out.',
      );
    this.#entries.set(name, entry);
    let registered = true;
    return () => {
      // The same may have been registered anew since: that registration stays.
      if (registered) this.#entries.delete(name);
      registered = false;
    };
  }

  find(name: string): T {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      const known = [...this.#entries.keys()];
      const near = nearest(name, known);
      throw new BackplaneError(
        'NOT_REGISTERED',
        { what: this.#what, name, known },
        `No board registers the ${this.#what} "${name}"; there are ${known.join(', ') || 'none'}.`,
        near === undefined ? 'Add a board that does.' : `Did you mean "${near}"?`,
      );
    }
    return entry;
  }

  all(): Iterable<T> {
    return this.#entries.values();
  }
}

export type Protocols = Switch<FileProtocol>;
export type Kinds = Switch<ObjectKind>;
