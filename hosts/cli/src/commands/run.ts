/** `backplane run EXPERIMENT`: one run, its table or its JSON. */
import { experiment, experiments, faultKinds, parseFault } from '@backplane/lab';
import type { Command } from 'commander';
import pc from 'picocolors';
import { type ExitCode, exit } from '../exit.ts';
import { measuredRun } from '../measured-run.ts';
import { formatTable, json, note, out } from '../output.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf, usage } from '../settings.ts';

interface RunOptions extends GivenOptions {
  readonly json?: boolean;
  readonly explainFaults?: boolean;
}

export function addRun(program: Command, finish: (code: ExitCode) => void): void {
  const command = addRunOptions(
    program
      .command('run')
      .argument('[experiment]', 'its name; without one they are listed')
      .description('one run of an experiment'),
  )
    .option('--explain-faults', 'say what each --fault would do, and run nothing')
    .option('--json', 'one JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  command.addHelpText('after', () => `\n${listing()}`);
  command.action(async (name: string | undefined, o: RunOptions) => {
    if (o.explainFaults === true) {
      explain(o.fault);
      return finish(exit.good);
    }
    if (name === undefined) {
      out(listing());
      return finish(exit.good);
    }
    const e = experiment(name);
    const result = await measuredRun(e, settingsOf(o, leftOver(e, command.args.slice(1), command)));
    if (o.json === true) json(result);
    else {
      out(formatTable(e.table(result.result)));
      note(
        pc.dim(
          `${result.virtualSeconds.toFixed(1)} virtual s in ${result.wallSeconds.toFixed(1)} s · ${result.events} events · seed ${result.seed} · trace ${result.traceHash.slice(0, 12)}`,
        ),
      );
    }
    finish(e.passed?.(result.result) === false ? exit.failed : exit.good);
  });
}

const listing = (): string =>
  formatTable({
    title: 'Experiments',
    head: ['name', 'what it measures', 'its own options'],
    rows: experiments.map((e) => [
      e.name,
      e.description,
      e.parameterTexts.map((p) => `--${p.name} ${p.value}`).join(' '),
    ]),
  });

const examples: Readonly<Record<string, string>> = {
  loss: 'loss=2%',
  duplicate: 'duplicate=1%',
  corrupt: 'corrupt=1%',
  reorder: 'reorder=1%',
  delay: 'delay=5ms',
  partition: 'partition=allspice|mace@10s-20s',
  oneway: 'oneway=mace>allspice@10s-20s',
  crash: 'crash=allspice@30s',
  reboot: 'reboot=allspice@60s',
  pause: 'pause=mace@10s-15s',
  disk: 'disk=allspice:error@40s',
};

function explain(given: readonly string[]): void {
  const specs = given.length > 0 ? given : faultKinds.flatMap((k) => examples[k] ?? []);
  if (specs.length === 0) throw usage('no faults to explain.', '--fault loss=2%');
  out(
    formatTable({
      title: 'Faults',
      head: ['--fault', 'what it does'],
      rows: specs.map((s) => [s, parseFault(s).sentence]),
    }),
  );
}
