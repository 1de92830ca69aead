/** A host's part of the name-handling group: answers for the prefixes that its managers export, and is silent about others. */

import type { Task } from '@backplane/engine';
import { type Hint, PrefixTable } from '@backplane/file-service';
import type { Export, Ipc, Machine, Message, Received, Undo } from '@backplane/slots';
import { answer, askedFor, nameHandlers } from './query-name.ts';

export class NameServer {
  readonly #table = new PrefixTable();

  constructor(ipc: Ipc, machine: Machine) {
    const server = ipc.create({ name: 'name server', scope: machine.scope, space: null });
    server.serve((request) => this.#answer(request));
    server.join(ipc.wellKnownGroup(nameHandlers));
  }

  export(e: Export): Undo {
    return this.#table.export(e);
  }

  *#answer({ message }: Received): Task<Message | 'discard'> {
    const asked = askedFor(message);
    if (asked === undefined) return 'discard';
    let best: Hint | undefined;
    for (const hint of this.#table.exportsOf(asked.name, asked.about))
      if (best === undefined || hint.prefix.length > best.prefix.length) best = hint;
    return best === undefined ? 'discard' : answer(best);
  }
}
