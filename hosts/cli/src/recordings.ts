/** What a run leaves beside its result: a packet capture (`--pcap`), a timeline (`--trace`). Closed however it ends. */
import { writeFileSync } from 'node:fs';
import type { Cluster } from '@backplane/chassis';
import { captureDissectors, captureFrames, type RunSettings, Timeline } from '@backplane/lab';
import type { Command } from 'commander';
import { note } from './output.ts';
import { checkWritable, numbered, OutputFile } from './output-file.ts';

export interface RecordingOptions {
  readonly pcap?: string;
  readonly trace?: string;
}

/** Adds `--report`, where there is one. */
export const addReportOption = (command: Command): Command =>
  command.option('--report <file.html>', 'settings, tables and plots as one HTML page');

/** @throws BackplaneError when the report cannot be written; before anything runs */
export function reportFile(file: string | undefined): { write(html: () => Promise<string>): Promise<void> } {
  if (file !== undefined) checkWritable('--report', file);
  return {
    async write(html) {
      if (file === undefined) return;
      writeFileSync(file, await html());
      note(`wrote ${file}`);
    },
  };
}

export function addRecordingOptions(command: Command): Command {
  return command
    .option('--trace <file>', 'a timeline of the run for ui.perfetto.dev')
    .option('--pcap <file>', 'every frame on the wire (pcapng), with a dissector beside it');
}

const attached = (settings: RunSettings, attach: (cluster: Cluster) => void): RunSettings => ({
  ...settings,
  attach: (cluster) => {
    settings.attach?.(cluster);
    attach(cluster);
  },
});

export class Recordings {
  readonly #options: RecordingOptions;
  readonly #closers: (() => void)[] = [];

  /** @throws BackplaneError when a file cannot be written */
  constructor(options: RecordingOptions) {
    this.#options = options;
    if (options.pcap !== undefined) checkWritable('--pcap', options.pcap);
    if (options.trace !== undefined) checkWritable('--trace', options.trace);
  }

  /** The settings of a run that is to be recorded. @param n where there are several: which, from 1 */
  of(settings: RunSettings, n?: number): RunSettings {
    const named = (file: string): string => (n === undefined ? file : numbered(file, n));
    const { pcap, trace } = this.#options;
    let recorded = settings;
    if (pcap !== undefined) recorded = attached(recorded, (cluster) => this.#capture(cluster, named(pcap)));
    if (trace !== undefined) {
      const timeline = new Timeline();
      recorded = {
        ...attached(recorded, (cluster) => this.#draw(timeline, cluster, named(trace))),
        watchCalls: timeline,
      };
    }
    return recorded;
  }

  /** Writes out what is left. */
  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }

  #draw(timeline: Timeline, cluster: Cluster, name: string): void {
    const file = new OutputFile(name);
    timeline.attach(cluster, (bytes) => file.write(bytes));
    this.#closers.push(() => {
      timeline.close();
      file.close();
      note(`wrote ${name}: open it at https://ui.perfetto.dev`);
    });
  }

  #capture(cluster: Cluster, name: string): void {
    const file = new OutputFile(name);
    captureFrames(cluster, (bytes) => file.write(bytes));
    this.#closers.push(() => {
      file.close();
      writeFileSync(`${name}.lua`, captureDissectors());
      note(`wrote ${name}: tshark -X lua_script:${name}.lua -r ${name}`);
    });
  }
}
