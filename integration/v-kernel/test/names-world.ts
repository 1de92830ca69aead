/** Machines with V's kernel on one Ethernet that export names of a protocol for tests: who is asked is all that counts. */
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { seconds, sleep, type Task } from '@backplane/engine';
import { ethernet, lossRule } from '@backplane/hw-ethernet';
import { sun3x75 } from '@backplane/hw-machines';
import { type VNamingOptions, vNaming } from '@backplane/naming-v';
import {
  type About,
  type Attempt,
  authority,
  done,
  isKernelError,
  type NameTarget,
  type NameView,
  staleName,
  token,
  type Undo,
} from '@backplane/slots';
import { vWorkstation } from '@backplane/v';

export interface WorldOptions {
  readonly seed?: number;
  /** Of each frame on its way to each station. */
  readonly loss?: number;
}

export class World {
  readonly cluster: Cluster;
  /** What is served now: root by root, since a root lives as long as its export. */
  readonly #served = new Map<string, string>();
  #lives = 0;

  /** @param machines the options of the naming of each, by name */
  constructor(machines: Readonly<Record<string, VNamingOptions>>, { seed = 1, loss = 0 }: WorldOptions = {}) {
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: Object.entries(machines).map(([name, options]) => ({
          name,
          type: sun3x75,
          role: name,
          kernel: vWorkstation()
            .without('fileCache')
            .without('systemCalls')
            .with({ naming: vNaming(options) }),
        })),
      },
      { seed },
    );
    const { engine, medium } = this.cluster;
    if (loss > 0) medium.addRule(lossRule(engine, engine.random('loss'), { probability: loss }));
  }

  /** The whole of a test: everything is switched on, then the body runs outside of all machines. */
  run<T>(body: (w: this) => Task<T>): T {
    const { cluster } = this;
    const everything = (w: this): Task<T> =>
      (function* (): Task<T> {
        yield* cluster.bootAll();
        return yield* body(w);
      })();
    return cluster.drive('test', everything(this));
  }

  machine(name: string): ClusterMachine {
    return this.cluster.machine(name);
  }

  get nowSeconds(): number {
    return this.cluster.engine.nowNs / 1e9;
  }

  /** The machine serves a prefix from now on, until it crashes or takes it back. */
  export(machine: string, prefix: string): Undo {
    const root = `${machine} life ${++this.#lives}`;
    const undo = this.machine(machine)
      .board('naming')
      .export({ prefix, protocol: 'test', authority: authority(machine), root: token(root) });
    this.#served.set(root, machine);
    return () => {
      undo();
      this.#served.delete(root);
    };
  }

  crash(machine: string): void {
    this.machine(machine).crash();
    for (const [root, by] of [...this.#served]) if (by === machine) this.#served.delete(root);
  }

  *boot(machine: string): Task<void> {
    this.machine(machine).boot();
    yield* this.machine(machine).running();
  }

  view(machine: string): NameView {
    return this.machine(machine).board('naming').view();
  }

  /** On a machine: the manager of a name with what it is asked for, or why there is none; and how long that took. */
  *where(machine: string, view: NameView, name: string, about: About = 'object'): Task<Found> {
    const from = this.nowSeconds;
    const thread = this.machine(machine).scope.spawn('test', this.#where(view, name, about));
    const at = yield* thread.join();
    return { at, seconds: this.nowSeconds - from };
  }

  *#where(view: NameView, name: string, about: About): Task<string> {
    try {
      const { authority: by, remainder } = yield* view.perform(name, about, (t) => this.attempt(t));
      return `${by}: ${remainder}`;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return e.kind;
    }
  }

  /** What a server answers: a root of an earlier life is "not mine". */
  *attempt(t: NameTarget): Task<Attempt<NameTarget>> {
    return this.#served.has(t.domainRoot) ? done(t) : staleName;
  }

  /** Everything that was started in the background has ended. */
  *settle(forSeconds = 20): Task<void> {
    yield* sleep(seconds(forSeconds));
  }

  metric(machine: string, name: string): number {
    return this.machine(machine).metrics().toRecord()[name] ?? 0;
  }
}

export interface Found {
  readonly at: string;
  readonly seconds: number;
}
