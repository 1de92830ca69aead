/**
 * A file server's instances: open files with an owner. An instance goes when its owner releases it, or is found dead; nobody
 * tells the server of a death, so it asks from time to time, for as long as there are instances.
 */
import { type Task, Timer, tasks } from '@backplane/engine';
import type { EntityId, FileId, Ipc, Machine, OpenHow } from '@backplane/slots';

export interface Instance {
  readonly number: number;
  readonly file: FileId;
  readonly how: OpenHow;
  readonly owner: EntityId;
}

/** An owner that does not answer may be cut off: so often in a row counts as dead. */
const silencesMax = 3;

export class Instances {
  static {
    tasks(Instances);
  }

  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #probeNs: number;
  readonly #dropped: (i: Instance) => Task<void>;
  readonly #instances = new Map<number, Instance>();
  readonly #silences = new Map<EntityId, number>();
  readonly #timer: Timer;
  #last = 0;
  collected = 0;

  /** @param dropped called for each instance whose owner is dead */
  constructor(ipc: Ipc, machine: Machine, probeNs: number, dropped: (i: Instance) => Task<void>) {
    this.#ipc = ipc;
    this.#machine = machine;
    this.#probeNs = probeNs;
    this.#dropped = dropped;
    this.#timer = new Timer(machine.scope, 'uio.collector', () => this.#wake());
  }

  get count(): number {
    return this.#instances.size;
  }

  add(file: FileId, how: OpenHow, owner: EntityId): Instance {
    const made = { number: ++this.#last, file, how, owner };
    this.#instances.set(made.number, made);
    if (!this.#timer.armed) this.#timer.set(this.#probeNs);
    return made;
  }

  find(number: number): Instance | undefined {
    return this.#instances.get(number);
  }

  /** False when it is gone already. */
  remove({ number }: Instance): boolean {
    return this.#instances.delete(number);
  }

  #wake(): void {
    this.#machine.scope.spawn('uio.collector', this.#collect());
  }

  *#collect(): Task<void> {
    for (const owner of new Set([...this.#instances.values()].map((i) => i.owner))) {
      const found = yield* this.#ipc.probe(owner);
      const silences = found === 'noAnswer' ? (this.#silences.get(owner) ?? 0) + 1 : 0;
      this.#silences.set(owner, silences);
      if (found !== 'nonexistent' && silences < silencesMax) continue;
      this.#silences.delete(owner);
      for (const i of [...this.#instances.values()]) {
        if (i.owner !== owner || !this.remove(i)) continue;
        this.collected++;
        yield* this.#dropped(i);
      }
    }
    if (this.#instances.size > 0) this.#timer.set(this.#probeNs);
  }
}
