/** An open file of a program that may change hosts: the memory server of the host where it is now knows where the file is. */
import { type Task, tasks } from '@backplane/engine';
import type { HostId } from '@backplane/slots';
import type { InstancePlace, Wandering } from '@backplane/uio';

/** The program, as its files follow it. */
export interface Wanderer {
  readonly self: { readonly host: HostId };
  /** Asks where it is. @throws KernelError `stale`, `peerDown`: nowhere */
  followed(from: InstancePlace): Task<InstancePlace>;
}

export class FollowedFile implements Wandering {
  static {
    tasks(FollowedFile);
  }

  readonly #program: Wanderer;
  /** Where the program was when the file was opened, or followed. */
  #host: HostId;

  /** @param host before it was asked for: the program may have moved before the answer came */
  constructor(program: Wanderer, host: HostId) {
    this.#program = program;
    this.#host = host;
  }

  get moved(): boolean {
    return this.#host !== this.#program.self.host;
  }

  *follow(from: InstancePlace): Task<InstancePlace> {
    const { host } = this.#program.self;
    try {
      return yield* this.#program.followed(from);
    } finally {
      this.#host = host;
    }
  }
}
