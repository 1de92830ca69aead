/**
 * Advisory locks of whole files (4.3BSD's flock), at the server of the file. Any number of owners share a lock, or one
 * has it alone. Whoever must wait leaves a waiter; an unlock wakes all of them, and they try again.
 */
import { KernelError, type LockMode, type Waiter } from '@backplane/slots';

interface Lock {
  readonly owners: Map<string, 'shared' | 'exclusive'>;
  waiters: Waiter[];
}

export class Locks {
  readonly #locks = new Map<string, Lock>();
  readonly #wake: (w: Waiter) => void;

  constructor(wake: (w: Waiter) => void) {
    this.#wake = wake;
  }

  /**
   * An owner that has the lock already changes its mode.
   *
   * @throws KernelError `wouldBlock`, with the waiter left
   */
  lock(file: string, owner: string, mode: LockMode, waiter: Waiter): void {
    if (mode === 'none') {
      this.unlock(file, owner);
      return;
    }
    const lock = this.#locks.get(file) ?? {
      owners: new Map<string, 'shared' | 'exclusive'>(),
      waiters: [] as Waiter[],
    };
    const refused = [...lock.owners].some(
      ([other, held]) => other !== owner && (mode === 'exclusive' || held === 'exclusive'),
    );
    if (refused) {
      lock.waiters.push(waiter);
      throw new KernelError('wouldBlock', 'locked');
    }
    const weaker = lock.owners.get(owner) === 'exclusive' && mode === 'shared';
    lock.owners.set(owner, mode);
    this.#locks.set(file, lock);
    if (weaker) this.#wakeAll(lock);
  }

  unlock(file: string, owner: string): void {
    const lock = this.#locks.get(file);
    if (lock === undefined || !lock.owners.delete(owner)) return;
    if (lock.owners.size === 0) this.#locks.delete(file);
    this.#wakeAll(lock);
  }

  /** The owner goes by another name from now on; what he has stays his. Returns what that is. */
  rename(file: string, owner: string, name: string): LockMode {
    const lock = this.#locks.get(file);
    const mode = lock?.owners.get(owner);
    if (lock === undefined || mode === undefined) return 'none';
    lock.owners.delete(owner);
    lock.owners.set(name, mode);
    return mode;
  }

  /** Breaks the locks that this says yes to: of a host that died, or that does not have the file open any more. */
  breakWhere(dead: (owner: string, file: string) => boolean): void {
    for (const [file, lock] of [...this.#locks])
      for (const owner of [...lock.owners.keys()]) if (dead(owner, file)) this.unlock(file, owner);
  }

  #wakeAll(lock: Lock): void {
    const { waiters } = lock;
    lock.waiters = [];
    for (const w of waiters) this.#wake(w);
  }
}
