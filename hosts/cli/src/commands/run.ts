/** `backplane run EXPERIMENT`: one run, its table or its JSON. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import {
  captureDissectors,
  captureFrames,
  experiment,
  experiments,
  faultKinds,
  parseFault,
  type RunSettings,
} from '@backplane/lab';
import type { Command } from 'commander';
import pc from 'picocolors';
import { type ExitCode, exit } from '../exit.ts';
import { measuredRun } from '../measured-run.ts';
import { formatTable, json, note, out } from '../output.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf, usage } from '../settings.ts';

interface RunOptions extends GivenOptions {
  readonly json?: boolean;
  readonly explainFaults?: boolean;
  readonly pcap?: string;
}

export function addRun(program: Command, finish: (code: ExitCode) => void): void {
  const command = addRunOptions(
    program
      .command('run')
      .argument('[experiment]', 'its name; without one they are listed')
      .description('one run of an experiment'),
  )
    .option('--explain-faults', 'say what each --fault would do, and run nothing')
    .option('--pcap <file>', 'capture every frame (pcapng), with a dissector beside it')
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
    const settings = settingsOf(o, leftOver(e, command.args.slice(1), command));
    const capture = o.pcap === undefined ? null : openCapture(o.pcap);
    const result = await measuredRun(e, { ...settings, ...capture?.settings });
    capture?.close();
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

/** Nothing is written unless the run can begin: the file is opened when the cluster is there. */
function openCapture(file: string): { readonly settings: Pick<RunSettings, 'attach'>; close(): void } {
  let fd: number | null = null;
  return {
    settings: {
      attach(cluster) {
        const opened = openSync(file, 'w');
        fd = opened;
        captureFrames(cluster, (bytes) => void writeSync(opened, bytes));
      },
    },
    close() {
      if (fd !== null) closeSync(fd);
      writeFileSync(`${file}.lua`, captureDissectors());
      note(`wrote ${file}: tshark -X lua_script:${file}.lua -r ${file}`);
    },
  };
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
