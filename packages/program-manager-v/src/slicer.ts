/**
 * Shares out time among the programs of a level, from outside the kernel (Cheriton 1988): the kernel knows priorities only. Each
 * quantum the next program is raised over the others of its level, and the one before lowered. With one program in a level
 * there is nothing to share out, and nothing is done.
 */
import { type Scope, type Task, Timer, tasks } from '@backplane/engine';
import { type ProgramLevel, priorityOf, programLevels } from '@backplane/v-operations';
import type { Program } from './program.ts';

/** Within its level: who has its turn, and who has not. */
const chosenGrade = 0;
const otherGrade = 128;

export const restingPriority = (level: ProgramLevel): number => priorityOf(level, otherGrade);

/** All processes of a space get this priority. */
export interface SetsPriority {
  setPriority(space: number, priority: number): Task<void>;
}

export class Slicer {
  static {
    tasks(Slicer);
  }

  readonly #kernel: SetsPriority;
  readonly #programs: ReadonlyMap<unknown, Program>;
  readonly #quantumNs: number;
  readonly #timer: Timer;
  readonly #chosen = new Map<ProgramLevel, Program>();

  constructor(
    kernel: SetsPriority,
    programs: ReadonlyMap<unknown, Program>,
    scope: Scope,
    quantumNs: number,
  ) {
    this.#kernel = kernel;
    this.#programs = programs;
    this.#quantumNs = quantumNs;
    this.#timer = new Timer(scope, 'programs.quantum', () => void scope.spawn('slicer', this.#slice()));
  }

  /** The programs have changed. */
  look(): void {
    const shared = programLevels.some((level) => this.#sharing(level).length > 1);
    if (shared && !this.#timer.armed) this.#timer.set(this.#quantumNs);
    if (!shared) this.#timer.cancel();
  }

  *#slice(): Task<void> {
    for (const level of programLevels) {
      const sharing = this.#sharing(level);
      if (sharing.length < 2) continue;
      const before = this.#chosen.get(level);
      const next = sharing[(before === undefined ? 0 : sharing.indexOf(before) + 1) % sharing.length];
      if (next === undefined || next === before) continue;
      this.#chosen.set(level, next);
      yield* this.#kernel.setPriority(next.space, priorityOf(level, chosenGrade));
      if (before !== undefined && sharing.includes(before))
        yield* this.#kernel.setPriority(before.space, restingPriority(level));
    }
    this.look();
  }

  #sharing(level: ProgramLevel): Program[] {
    return [...this.#programs.values()].filter((p) => p.level === level && !p.suspended);
  }
}
