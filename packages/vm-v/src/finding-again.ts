/** Files that this host keeps pages of, opened once more: at the manager that the prefix leads to by then. */
import { type Task, tasks } from '@backplane/engine';
import { done, entityId, type Ipc, type Naming, type OpenHow, type WireAttempt } from '@backplane/slots';
import { has, type NamedFile, type OpenedFile, reach, reopenFile, type Senders } from '@backplane/uio';
import type { Place } from './opening.ts';

export interface FindingParts {
  readonly ipc: Ipc;
  readonly naming: Naming;
  /** Who owns what is opened. */
  readonly senders: Senders;
}

export class FindingAgain {
  static {
    tasks(FindingAgain);
  }

  readonly #parts: FindingParts;

  constructor(parts: FindingParts) {
    this.#parts = parts;
  }

  /** @throws KernelError `stale` when it is not there any more; `noAnswer`, `notFound` while nobody has the prefix */
  *open({ prefix, file }: NamedFile, { read, write, append }: OpenHow): Task<Place> {
    const { ipc, naming, senders } = this.#parts;
    const request = {
      owner: senders.owner,
      file,
      how: { read: read === true, write: write === true, append: append === true },
    };
    return yield* naming.view().perform<Place>(prefix, 'object', (t) => {
      const server = entityId(t.authority);
      return reach(ipc, server, again(senders.call(server, reopenFile, request)));
    });
  }
}

/** As what an instance with these attributes was opened. */
export const howOf = (attributes: number): OpenHow => ({
  read: has(attributes, 'readable'),
  write: has(attributes, 'writeable'),
  append: has(attributes, 'appendOnly'),
});

function* again(opening: Task<OpenedFile>): Task<WireAttempt<Place>> {
  return done(yield* opening);
}
