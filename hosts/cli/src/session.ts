/** What one call of the command hands to whichever subcommand runs: where its exit code goes, and whether to stop. */
import type { ExitCode } from './exit.ts';
import type { Outside } from './outside/outside.ts';

export interface Session {
  /** Boards, kernels and experiments that are not part of the project. */
  readonly outside: Outside;
  /** The command line, for what says how it was made. */
  readonly words: readonly string[];
  /** Ctrl-C was pressed. */
  readonly interrupted: AbortSignal;
  finish(code: ExitCode): void;
}

/** Ends what is under way after Ctrl-C; what was finished before has been kept. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** Something went wrong in virtual time, after everything given had been found good. */
export class RunFailed extends Error {
  constructor(cause: unknown) {
    super('the run failed', { cause });
    this.name = 'RunFailed';
  }
}
