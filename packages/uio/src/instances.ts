/**
 * A server's instances: open objects with an owner. An instance goes when its owner releases it, or is found dead; nobody
 * tells the server of a death, so it asks from time to time, for as long as there are instances.
 */
import { type Task, Timer, tasks } from '@backplane/engine';
import type { EntityId, Ipc, Machine } from '@backplane/slots';

/** @typeParam T what the server has behind the number */
export interface ServedInstance<T> {
  readonly number: number;
  readonly object: T;
  /** Whose death ends it. Changes when the instance is handed on. */
  owner: EntityId;
}

/** An owner that does not answer may be cut off: so often in a row counts as dead. */
const silencesMax = 3;

export class Instances<T> {
  static {
    tasks(Instances);
  }

  readonly #ipc: Pick<Ipc, 'probe'>;
  readonly #machine: Machine;
  readonly #probeNs: number;
  readonly #dropped: (i: ServedInstance<T>) => Task<void>;
  readonly #instances = new Map<number, ServedInstance<T>>();
  /** Of owners that did not answer the last time. */
  #silences: ReadonlyMap<EntityId, number> = new Map();
  readonly #timer: Timer;
  #collecting = false;
  #last = 0;
  collected = 0;

  /** @param dropped called for each instance whose owner is dead */
  constructor(
    ipc: Pick<Ipc, 'probe'>,
    machine: Machine,
    probeNs: number,
    dropped: (i: ServedInstance<T>) => Task<void>,
  ) {
    this.#ipc = ipc;
    this.#machine = machine;
    this.#probeNs = probeNs;
    this.#dropped = dropped;
    this.#timer = new Timer(machine.scope, 'uio.collector', () => this.#wake());
  }

  get count(): number {
    return this.#instances.size;
  }

  add(object: T, owner: EntityId): ServedInstance<T> {
    const made = { number: ++this.#last, object, owner };
    this.#instances.set(made.number, made);
    this.#arm();
    return made;
  }

  find(number: number): ServedInstance<T> | undefined {
    return this.#instances.get(number);
  }

  ownedBy(owner: EntityId): readonly ServedInstance<T>[] {
    return [...this.#instances.values()].filter((i) => i.owner === owner);
  }

  /** False when it is gone already. */
  remove({ number }: ServedInstance<T>): boolean {
    return this.#instances.delete(number);
  }

  #arm(): void {
    if (!this.#collecting && !this.#timer.armed && this.#instances.size > 0) this.#timer.set(this.#probeNs);
  }

  #wake(): void {
    this.#collecting = true;
    this.#machine.scope.spawn('uio.collector', this.#collect());
  }

  *#collect(): Task<void> {
    const silences = new Map<EntityId, number>();
    for (const owner of new Set([...this.#instances.values()].map((i) => i.owner))) {
      const found = yield* this.#ipc.probe(owner);
      const silent = found === 'noAnswer' ? (this.#silences.get(owner) ?? 0) + 1 : 0;
      if (found === 'nonexistent' || silent >= silencesMax) yield* this.#drop(owner);
      else if (silent > 0) silences.set(owner, silent);
    }
    this.#silences = silences;
    this.#collecting = false;
    this.#arm();
  }

  *#drop(owner: EntityId): Task<void> {
    for (const i of this.ownedBy(owner)) {
      if (!this.remove(i)) continue;
      this.collected++;
      yield* this.#dropped(i);
    }
  }
}
