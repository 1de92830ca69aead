/** `backplane verify EXPERIMENT`: runs it twice; equal inputs must give equal event logs. */
import { experiment, verifyExperiment } from '@backplane/lab';
import type { Command } from 'commander';
import { type ExitCode, exit } from '../exit.ts';
import { json, out } from '../output.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf } from '../settings.ts';

export function addVerify(program: Command, finish: (code: ExitCode) => void): void {
  const command = addRunOptions(
    program.command('verify').argument('<experiment>').description('run twice and compare the event logs'),
  )
    .option('--json', 'one JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  command.action((name: string, o: GivenOptions & { readonly json?: boolean }) => {
    const e = experiment(name);
    const v = verifyExperiment(e, settingsOf(o, leftOver(e, command.args.slice(1), command)));
    if (o.json === true) json(v);
    else if (v.equal) out(`${name}: both runs are equal, ${v.events[0]} events, trace ${v.traceHashes[0]}`);
    else {
      const d = v.firstDivergence;
      out(
        `${name}: the runs differ${d === null ? '' : `, first in event ${d.index} at ${d.virtualSeconds} s: ${d.event} "${d.component}" of ${d.machine}`}`,
      );
    }
    finish(v.equal ? exit.good : exit.failed);
  });
}
