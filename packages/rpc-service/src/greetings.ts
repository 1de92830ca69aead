/** Questions to hosts whose life is not known: several calls to one share a question. */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { type HostId, isKernelError, type KernelError } from '@backplane/slots';

export class Greetings {
  static {
    tasks(Greetings);
  }

  readonly #ask: (to: HostId) => Task<void>;
  /** Those under way, and the calls that wait for each. They bring the error, if it failed. */
  readonly #underWay = new Map<HostId, WaitQueue<KernelError | null>>();

  /** @param ask for a sign of life; throws `peerDown` */
  constructor(ask: (to: HostId) => Task<void>) {
    this.#ask = ask;
  }

  /** Returns when the host has answered. @throws KernelError `peerDown` */
  *greet(to: HostId): Task<void> {
    const underWay = this.#underWay.get(to);
    if (underWay !== undefined) {
      const failed = yield* underWay.wait();
      if (failed) throw failed;
      return;
    }
    const answered: WaitQueue<KernelError | null> = new WaitQueue();
    this.#underWay.set(to, answered);
    let failed: KernelError | null = null;
    try {
      yield* this.#ask(to);
    } catch (e) {
      if (isKernelError(e)) failed = e;
      throw e;
    } finally {
      this.#underWay.delete(to);
      answered.wakeAll(failed);
    }
  }
}
