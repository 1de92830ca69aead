/**
 * A program that this host runs: an address space and the processes in it, known by the first of them, its root.
 *
 *   state    event                            action                                          next
 *   new      whoever wanted it starts the     the process server does, not we                 running
 *            root
 *   new      whoever wanted it has died       destroy the root                                ended
 *   any      the root ends                    destroy the space, answer who awaits it         ended
 *   running  migrated                         forget it; the manager there has it            -
 *   running  suspend, resume, other level     priorities of its processes                     running
 */
import { WaitQueue } from '@backplane/engine';
import type { EntityId } from '@backplane/slots';
import type { ProgramLevel } from '@backplane/v-operations';

export class Program {
  readonly root: EntityId;
  readonly space: number;
  readonly name: string;
  /** Who wanted it. */
  readonly owner: EntityId;
  level: ProgramLevel;
  suspended = false;
  /** Told the status, or that it has left. */
  readonly ended: WaitQueue<number | 'departed'> = new WaitQueue();

  constructor(o: Pick<Program, 'root' | 'space' | 'name' | 'owner' | 'level'>) {
    this.root = o.root;
    this.space = o.space;
    this.name = o.name;
    this.owner = o.owner;
    this.level = o.level;
  }
}
