/** The `backplane` command. */
import { isBackplaneError } from '@backplane/slots';
import { Command, CommanderError } from 'commander';
import { addBench } from './commands/bench.ts';
import { addCompare } from './commands/compare.ts';
import { addComponents } from './commands/components.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addGraph } from './commands/graph.ts';
import { addPublished } from './commands/published.ts';
import { addRun } from './commands/run.ts';
import { addVerify } from './commands/verify.ts';
import { type ExitCode, exit } from './exit.ts';
import { complain } from './output.ts';
import { version } from './version.ts';

/** @param words the command line without node and script. Returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  let code: ExitCode = exit.good;
  const finish = (c: ExitCode): void => {
    code = c;
  };
  const program = new Command('backplane')
    .description('Compose distributed operating systems from packages and run them on an emulated cluster.')
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false });
  addDemo(program, finish);
  addRun(program, finish);
  addCompare(program, finish);
  addPublished(program, finish);
  addVerify(program, finish);
  addBench(program, finish);
  addComponents(program, finish);
  addGraph(program, finish);
  addDoctor(program, finish);
  for (const c of program.commands) c.exitOverride();
  process.once('SIGINT', () => process.exit(exit.interrupted));
  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (e) {
    if (e instanceof CommanderError) return e.exitCode === 0 ? exit.good : exit.usage;
    complain(e);
    return isBackplaneError(e) && e.code !== 'INVARIANT'
      ? e.code === 'DID_NOT_END'
        ? exit.undecided
        : exit.usage
      : exit.failed;
  }
}
