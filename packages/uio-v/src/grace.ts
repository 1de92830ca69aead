/**
 * What a file server has to know of its former life: did holders have pages when it died? Then they may use them until their
 * leases are over, and have stores that it never saw: for as long it serves no file, except that it takes what they claim.
 *
 * The mark is in the storage, in the version of a domain's root: a high one while pages are out. It is set before the first holder
 * has any, and taken back by an orderly halt without holders.
 */
import { Gate, sleep, type Task, tasks } from '@backplane/engine';
import type { Machine, Storage } from '@backplane/slots';
import { leaseNs } from '@backplane/uio';

export class Grace {
  static {
    tasks(Grace);
  }

  readonly #machine: Machine;
  /** Closed until it is known. */
  readonly #known: Gate = new Gate();
  readonly #endsNs = new Map<number, number>();
  readonly #marked = new Set<number>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  *begin(storages: Iterable<Storage>): Task<void> {
    for (const storage of storages) {
      const { version } = yield* storage.attributes(storage.root);
      if (!isOut(version)) continue;
      this.#marked.add(storage.domain);
      this.#endsNs.set(storage.domain, this.#machine.engine.nowNs + leaseNs);
    }
    this.#known.open();
  }

  /** Returns when files of the domain are served. */
  *over(domain: number): Task<void> {
    if (!this.#known.isOpen) yield* this.#known.pass();
    const endsNs = this.#endsNs.get(domain);
    if (endsNs === undefined) return;
    const leftNs = endsNs - this.#machine.engine.nowNs;
    if (leftNs > 0) yield* sleep(leftNs);
    this.#endsNs.delete(domain);
  }

  /** May holders claim what they had in the server's former life? */
  *claims(domain: number): Task<boolean> {
    if (!this.#known.isOpen) yield* this.#known.pass();
    return this.#machine.engine.nowNs < (this.#endsNs.get(domain) ?? 0);
  }

  /** Pages of the domain are about to be out. */
  *out(storage: Storage): Task<void> {
    if (!this.#marked.has(storage.domain)) yield* this.#mark(storage, true);
    this.#marked.add(storage.domain);
  }

  /** None are any more, and none will be. */
  *in(storage: Storage): Task<void> {
    if (this.#marked.delete(storage.domain)) yield* this.#mark(storage, false);
  }

  *#mark(storage: Storage, out: boolean): Task<void> {
    const { version } = yield* storage.attributes(storage.root);
    if (isOut(version) === out) return;
    yield* storage.setAttributes(storage.root, { version: out ? version + mark : version - mark });
    yield* storage.sync(storage.root);
  }
}

/** Directories are not opened for writing: their versions stay low. */
const mark = 0x4000_0000;
const isOut = (version: number): boolean => version >= mark;
