/** `backplane run EXPERIMENT`: one run, its table or its JSON. */
import type { Cluster } from '@backplane/chassis';
import {
  experiments,
  faultKinds,
  imagesDirectory,
  parseFault,
  planRun,
  type RunImage,
  type RunSettings,
  writeRunImages,
} from '@backplane/lab';
import type { Command } from 'commander';
import pc from 'picocolors';
import { exit } from '../exit.ts';
import { measuredRun } from '../measured-run.ts';
import { formatTable, json, note, out } from '../output.ts';
import {
  addRecordingOptions,
  addReportOption,
  type RecordingOptions,
  Recordings,
  reportFile,
} from '../recordings.ts';
import { runReport } from '../report/reports.ts';
import type { Session } from '../session.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf } from '../settings.ts';

interface RunOptions extends GivenOptions, RecordingOptions {
  readonly report?: string;
  readonly json?: boolean;
  readonly explainFaults?: boolean;
  readonly images?: string;
}

export function addRun(program: Command, session: Session): void {
  const command = addReportOption(
    addRecordingOptions(
      addRunOptions(
        program
          .command('run')
          .argument('[experiment]', 'its name, or a file with one; without it they are listed')
          .description('one run of an experiment'),
      ).option('--explain-faults', 'say what each --fault would do, and run nothing'),
    ),
  )
    .option(
      '--images <dir>',
      'every disk at the end, as DIR/MACHINE-DISK.img; halts the machines and audits the disks',
    )
    .option('--json', 'one JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  command.addHelpText('after', () => `\n${listing()}`);
  command.action(async (name: string | undefined, o: RunOptions) => {
    if (name === undefined) {
      if (o.explainFaults === true) explain(o);
      else if (o.json === true)
        json({
          experiments: experiments.map(({ name, description, parameterTexts }) => ({
            name,
            description,
            options: parameterTexts,
          })),
        });
      else out(listing());
      return session.finish(exit.good);
    }
    const e = await session.outside.experiment(name);
    const settings = await settingsOf(o, leftOver(e, command.args.slice(1), command), session.outside);
    if (o.explainFaults === true) {
      planRun(e, settings);
      explain(o);
      return session.finish(exit.good);
    }
    const recordings = new Recordings(o);
    const report = reportFile(o.report);
    const disks = new Disks(o.images);
    try {
      const measured = await measuredRun(e, recordings.of(disks.of(settings)), session.interrupted);
      const images = disks.write();
      const result = images === null ? measured : { ...measured, images };
      if (o.json === true) json(result);
      else {
        out(formatTable(e.table(result.result)));
        note(
          pc.dim(
            `${result.virtualSeconds.toFixed(1)} virtual s in ${result.wallSeconds.toFixed(1)} s · ${result.events} events · seed ${result.seed} · trace ${result.traceHash.slice(0, 12)}`,
          ),
        );
      }
      await report.write(() => runReport(session.words, e, settings, result));
      const unsound = images?.some((i) => i.findings !== null && i.findings.length > 0) === true;
      session.finish(unsound || e.passed?.(result.result) === false ? exit.failed : exit.good);
    } finally {
      recordings.close();
    }
  });
}

/** What `--images` asks for: the disks of the cluster, once its run is over. */
class Disks {
  readonly #directory: string | undefined;
  #cluster: Cluster | null = null;

  /** @throws BackplaneError when there can be no such directory */
  constructor(directory: string | undefined) {
    this.#directory = directory;
    if (directory !== undefined) imagesDirectory(directory);
  }

  of(settings: RunSettings): RunSettings {
    if (this.#directory === undefined) return settings;
    return {
      ...settings,
      attach: (cluster) => {
        settings.attach?.(cluster);
        this.#cluster = cluster;
      },
    };
  }

  /** Null where none were asked for. */
  write(): readonly RunImage[] | null {
    if (this.#directory === undefined || this.#cluster === null) return null;
    const images = writeRunImages(this.#cluster, this.#directory);
    for (const { file, format, findings } of images) note(`wrote ${file}: ${stateOf(format, findings)}`);
    return images;
  }
}

function stateOf(format: RunImage['format'], findings: RunImage['findings']): string {
  if (format === null) return 'no storage that is known, or a part of another disk';
  if (findings === null) return `${format}, not audited: its machine was not halted in good order`;
  const [first] = findings;
  return first === undefined
    ? `${format}, sound`
    : `${format}, ${findings.length} findings, the first with ${first.where}: ${first.text}`;
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

const examples: Readonly<Record<string, string | readonly string[]>> = {
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
  disk: ['disk=allspice:error@40s', 'disk=allspice/disk.2:error@40s'],
};

/** Those that were given; an example of each kind where none was. */
function explain(o: RunOptions): void {
  const specs = o.fault ?? faultKinds.flatMap((k) => examples[k] ?? []);
  const faults = specs.map((spec) => ({ spec, sentence: parseFault(spec).sentence }));
  if (o.json === true) json({ faults });
  else
    out(
      formatTable({
        title: 'Faults',
        head: ['--fault', 'what it does'],
        rows: faults.map((f) => [f.spec, f.sentence]),
      }),
    );
}
