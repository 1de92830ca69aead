/**
 * Registers what a host manages with every replica of the directory, in the background: when something is exported or
 * withdrawn, and when a replica announces that it knows nothing. If no replica answers, there is none, or all are down: they
 * announce themselves when they come up.
 *
 *   state         event                  action                    next
 *   idle          claim, announcement    tell all replicas         registering
 *   registering   claim, announcement    -                         registering, and once more
 *   registering   all told, once more    tell all replicas         registering
 *   registering   all told               -                         idle
 */
import { Gate, type Task } from '@backplane/engine';
import type { Machine, Undo } from '@backplane/slots';
import type { Capability } from './capability.ts';
import { register } from './directory-messages.ts';
import type { Questions } from './questions.ts';
import type { Claim } from './registration.ts';

type Registered = readonly [Claim, Capability];

export class Registrar {
  readonly #machine: Machine;
  readonly #questions: Questions;
  /** By prefix, what was said of it last. */
  readonly #claims = new Map<string, Registered>();
  /** Open while there is nothing to tell. */
  readonly #told = new Gate(true);
  #again = false;

  constructor(machine: Machine, questions: Questions) {
    this.#machine = machine;
    this.#questions = questions;
  }

  claim(given: Omit<Claim, 'stampNs' | 'gone'>, capability: Capability): Undo {
    const { prefix } = given;
    const { engine } = this.#machine;
    const claimed: Registered = [{ ...given, stampNs: engine.nowNs, gone: false }, capability];
    this.#claims.set(prefix, claimed);
    this.tell();
    return () => {
      // The prefix may have been claimed anew since: that stays.
      if (this.#claims.get(prefix) !== claimed) return;
      this.#claims.set(prefix, [{ ...given, stampNs: engine.nowNs, gone: true }, capability]);
      this.tell();
    };
  }

  /** Tells all replicas everything, from now on or once more. */
  tell(): void {
    this.#again = true;
    if (this.#claims.size === 0 || !this.#told.isOpen) return;
    this.#told.close();
    this.#machine.scope.spawn('register names', this.#tellAll());
  }

  /** Returns when every replica that can be reached knows what is managed here. */
  *registered(): Task<void> {
    yield* this.#told.pass();
  }

  *#tellAll(): Task<void> {
    while (this.#again) {
      this.#again = false;
      for (const m of register(this.#claims.values())) {
        const heard = yield* this.#questions.tell(m);
        if (heard.length === 0) break;
      }
    }
    this.#told.open();
  }
}
