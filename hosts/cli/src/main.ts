/** The `backplane` command. */
import { isBackplaneError } from '@backplane/slots';
import { Command, CommanderError } from 'commander';
import { addBench } from './commands/bench.ts';
import { addCheck } from './commands/check.ts';
import { addCompare } from './commands/compare.ts';
import { addComponents } from './commands/components.ts';
import { addCrash } from './commands/crash.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addGraph } from './commands/graph.ts';
import { addImage } from './commands/image.ts';
import { addPublished } from './commands/published.ts';
import { addRun } from './commands/run.ts';
import { addVerify } from './commands/verify.ts';
import { type ExitCode, exit } from './exit.ts';
import { complain, complainOfRun, note } from './output.ts';
import { Outside } from './outside/outside.ts';
import { Interrupted, RunFailed, type Session } from './session.ts';
import { version } from './version.ts';

const subcommands: readonly ((program: Command, session: Session) => void)[] = [
  addDemo,
  addRun,
  addCompare,
  addPublished,
  addVerify,
  addCheck,
  addBench,
  addComponents,
  addGraph,
  addCrash,
  addImage,
  addDoctor,
];

/**
 * @param words the command line without node and script
 * @param folder where boards, kernels and experiments from outside are looked up from
 * @returns the exit code
 */
export async function main(words: readonly string[], folder: string = process.cwd()): Promise<number> {
  let code: ExitCode = exit.good;
  const interruption = new AbortController();
  const session: Session = {
    outside: new Outside(folder),
    words,
    interrupted: interruption.signal,
    finish: (c) => {
      code = c;
    },
  };
  const program = new Command('backplane')
    .description('Compose distributed operating systems from packages and run them on an emulated cluster.')
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false });
  for (const add of subcommands) add(program, session);
  for (const c of program.commands) c.exitOverride();
  // The first Ctrl-C lets the command keep what it has finished; the second does not wait.
  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(exit.interrupted);
    interruption.abort();
  };
  process.on('SIGINT', interrupt);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return interruption.signal.aborted ? exit.interrupted : code;
  } catch (e) {
    if (e instanceof CommanderError) return e.exitCode === 0 ? exit.good : exit.usage;
    if (e instanceof Interrupted) {
      note('Interrupted. What was finished before has been kept.');
      return exit.interrupted;
    }
    if (e instanceof RunFailed) {
      complainOfRun(e.cause);
      return exit.failed;
    }
    complain(e);
    return exitCodeOf(e);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function exitCodeOf(e: unknown): ExitCode {
  if (!isBackplaneError(e) || e.code === 'INVARIANT') return exit.failed;
  return e.code === 'DID_NOT_END' ? exit.undecided : exit.usage;
}
