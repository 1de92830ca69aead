/** A process that goes to other hosts, as kernels move it: frozen, taken out, put in, thawed. */
import { type Scope, sleep, type Task, type Thread } from '@backplane/engine';
import type { AddressSpace, EntityId, IpcProcess, MovingProcess } from '@backplane/slots';
import type { HostName, World } from './world.ts';

export class Mobile {
  readonly process: IpcProcess;
  /** Its program. */
  readonly thread: Thread<void>;
  host: HostName;
  scope: Scope;
  readonly #world: World;
  readonly #space: AddressSpace | null;

  constructor(
    world: World,
    host: HostName,
    name: string,
    body?: (p: IpcProcess) => Task<void>,
    space: AddressSpace | null = null,
  ) {
    const made = world.process(host, name, body, space);
    this.#world = world;
    this.process = made.process;
    this.thread = made.thread;
    this.scope = made.scope;
    this.host = host;
    this.#space = space;
  }

  get id(): EntityId {
    return this.process.id;
  }

  /** False, and it is as it was: it could not leave. @param transitNs how long it is on no host */
  *move(to: HostName, transitNs = 0): Task<boolean> {
    this.process.freeze();
    const moving = this.#world.ipc(this.host).extract(this.id);
    if (moving === 'busy') {
      this.process.unfreeze();
      return false;
    }
    if (transitNs > 0) yield* sleep(transitNs);
    this.arrive(to, moving);
    this.process.unfreeze();
    return true;
  }

  /** Moves it as soon as it can leave. */
  *moveSoon(to: HostName, transitNs = 0): Task<void> {
    while (!(yield* this.move(to, transitNs))) yield* sleep(retryNs);
  }

  /** It stays frozen. */
  arrive(to: HostName, { process, state }: MovingProcess): void {
    const scope = this.#world.rig.machine(to).scope.child('moved');
    // By message: the other host sees bytes.
    this.#world.ipc(to).install({ process, state: state.slice() }, { scope, space: this.#space });
    const before = this.scope;
    for (const thread of before.threads()) scope.adopt(thread);
    // What is left in the old one belongs to nobody.
    before.crash();
    this.scope = scope;
    this.host = to;
  }
}

const retryNs = 1_000_000;
