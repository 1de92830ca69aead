/** `backplane verify EXPERIMENT`: runs it twice; equal inputs must give equal event logs. */
import { verification } from '@backplane/lab';
import type { Command } from 'commander';
import { exit } from '../exit.ts';
import { measuredRuns } from '../measured-run.ts';
import { json, out } from '../output.ts';
import { addRecordingOptions, type RecordingOptions, Recordings } from '../recordings.ts';
import type { Session } from '../session.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf } from '../settings.ts';

interface VerifyOptions extends GivenOptions, RecordingOptions {
  readonly json?: boolean;
}

export function addVerify(program: Command, session: Session): void {
  const command = addRecordingOptions(
    addRunOptions(
      program
        .command('verify')
        .argument('<experiment>', 'its name, or a file with one')
        .description('run twice and compare the event logs; recordings are those of the first run'),
    ),
  )
    .option('--json', 'one JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  command.action(async (name: string, o: VerifyOptions) => {
    const e = await session.outside.experiment(name);
    const settings = await settingsOf(o, leftOver(e, command.args.slice(1), command), session.outside);
    const recordings = new Recordings(o);
    try {
      const v = await measuredRuns(verification(e, recordings.of(settings)), session.interrupted);
      if (o.json === true) json(v);
      else if (v.equal)
        out(`${e.name}: both runs are equal, ${v.events[0]} events, trace ${v.traceHashes[0]}`);
      else {
        const d = v.firstDivergence;
        out(
          `${e.name}: the runs differ${d === null ? '' : `, first in event ${d.index} at ${d.virtualSeconds} s: ${d.event} "${d.component}" of ${d.machine}`}`,
        );
      }
      session.finish(v.equal ? exit.good : exit.failed);
    } finally {
      recordings.close();
    }
  });
}
