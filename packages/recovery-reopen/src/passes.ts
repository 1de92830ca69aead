/** What the boards of this host want done when a server is back, in the order of the passes. */
import { type Task, tasks } from '@backplane/engine';
import { type HostId, isKernelError, type RecoveryPass, recoveryPasses, type Undo } from '@backplane/slots';

export interface Registration {
  readonly name: string;
  readonly pass: RecoveryPass;
  reopen(server: HostId): Task<void>;
}

export class Passes {
  static {
    tasks(Passes);
  }

  readonly #registrations: Registration[] = [];
  /** Registrations whose pass ended in an error. */
  failures = 0;

  register(given: Registration): Undo {
    // One of its own: the same may be registered twice, and each is taken back by itself.
    const r: Registration = {
      name: given.name,
      pass: given.pass,
      reopen: (server) => given.reopen(server),
    };
    this.#registrations.push(r);
    return () => {
      const at = this.#registrations.indexOf(r);
      if (at >= 0) this.#registrations.splice(at, 1);
    };
  }

  /**
   * All of them: pass after pass, and within a pass in the order in which the boards registered. What one board cannot
   * reopen is not the others' loss.
   *
   * @throws KernelError `peerDown`: the server has gone again
   */
  *run(server: HostId): Task<void> {
    for (const pass of recoveryPasses) {
      for (const r of this.#registrations.filter((one) => one.pass === pass)) {
        try {
          yield* r.reopen(server);
        } catch (e) {
          if (!isKernelError(e) || e.kind === 'peerDown') throw e;
          this.failures++;
        }
      }
    }
  }
}
