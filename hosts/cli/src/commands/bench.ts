/**
 * `backplane bench NAME`: speed of the emulation itself, per processor second. The workloads are defined so that other
 * simulators run them too; `--peers DIR` runs programs of theirs beside, on this machine, in turn.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { experiment } from '@backplane/lab';
import { callbacks, mm1, type Outcome, w1, w2 } from '@backplane/workloads';
import type { Command } from 'commander';
import { exit } from '../exit.ts';
import { measuredRun } from '../measured-run.ts';
import { formatTable, json, out } from '../output.ts';
import type { Session } from '../session.ts';
import { usage, whole } from '../settings.ts';

/** One line of a benchmark, ours or a peer's. */
interface Line {
  readonly name: string;
  readonly units: number;
  readonly sec: number;
  readonly cpu: number;
  /** Units per processor second. */
  readonly rate: number;
  readonly check: string;
  readonly [more: string]: unknown;
}

interface BenchOptions {
  readonly json?: boolean;
  readonly point: string;
  readonly kernel: string;
  readonly seconds: string;
  readonly rounds: string;
  readonly peers?: string;
}

const workloads: Readonly<Record<string, () => Outcome>> = {
  w1: () => w1({ processes: 1000, sleeps: 2000 }),
  'w1-5': () => w1({ processes: 1000, sleeps: 1000 }, 5),
  callbacks: () => callbacks({ processes: 1000, sleeps: 2000 }),
  w2: () => w2({ groups: 100, items: 500 }),
  mm1: () => mm1({ customers: 300_000 }),
};
const names = [...Object.keys(workloads), 'rpc8k'];

/** Command lines of the peers for a workload, below the folder that has them; sizes as their README gives them. */
const peers: Readonly<Record<string, readonly (readonly string[])[]>> = {
  w1: [
    ['python3', 'simpy_w.py', 'w1', '1000', '100'],
    ['build/ns3_w', 'w1', 'Map', '1000', '500'],
    ['build/w1_cpp', '1000', '2000'],
  ],
  'w1-5': [['python3', 'simpy_w.py', 'w1', '1000', '100']],
  callbacks: [['build/w1_cpp', '1000', '2000']],
  w2: [['python3', 'simpy_w.py', 'w2', '100', '40']],
  mm1: [['python3', 'simpy_w.py', 'mm1', '20000']],
};

export function addBench(program: Command, session: Session): void {
  program
    .command('bench')
    .argument('<name>', names.join(', '))
    .description('speed of the emulation itself, beside other simulators')
    .option('--point <A|B|C>', 'of rpc8k: 10 hosts, 100 hosts, 100 hosts saturated', 'A')
    .option('--kernel <kernel>', 'of rpc8k: sprite, or a kernel file', 'sprite')
    .option('--seconds <n>', 'of rpc8k: simulated seconds', '200')
    .option('--rounds <n>', 'measurements, of which the median by rate is shown', '5')
    .option('--peers <dir>', 'a folder with programs of other simulators')
    .option('--json', 'one JSON object')
    .action(async (name: string, o: BenchOptions) => {
      if (!names.includes(name))
        throw usage(`there is no benchmark "${name}".`, `backplane bench ${names.join(' | ')}`);
      const rounds = whole('--rounds', o.rounds, 1, 99);
      const ours: Line[] = [];
      const others: Line[][] = [];
      // In turn, so that whatever else the machine does falls on all of them.
      for (let round = 0; round < rounds; round++) {
        ours.push(name === 'rpc8k' ? await rpc8k(o, session) : workload(name));
        (peers[name] ?? []).forEach((words, i) => {
          const line = o.peers === undefined ? null : peer(o.peers, words);
          if (line !== null) others[i] = [...(others[i] ?? []), line];
        });
      }
      const own = median(ours);
      const beside = others.filter((lines) => lines.length > 0).map(median);
      if (o.json === true) json({ ...own, ...(beside.length > 0 && { peers: beside }) });
      else {
        out(
          formatTable({
            title: `${name}, per processor second, median of ${rounds}`,
            head: ['program', 'rate', 'times', 'check'],
            rows: [own, ...beside].map((l) => [
              l.name,
              l.rate.toFixed(0),
              (own.rate / l.rate).toFixed(2),
              l.check,
            ]),
          }),
        );
      }
      session.finish(exit.good);
    });
}

const median = (lines: readonly Line[]): Line => {
  const sorted = [...lines].sort((a, b) => a.rate - b.rate);
  return sorted[Math.floor(sorted.length / 2)] as Line;
};

const round = (n: number): number => Math.round(n * 1000) / 1000;

function workload(name: string): Line {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const outcome = workloads[name]?.();
  const used = process.cpuUsage(cpu);
  const seconds = (used.user + used.system) / 1e6;
  const units = outcome?.units ?? 0;
  return {
    name,
    units,
    sec: round((performance.now() - startedMs) / 1000),
    cpu: round(seconds),
    rate: Math.round(units / seconds),
    check: outcome?.check ?? '',
  };
}

async function rpc8k(o: BenchOptions, { outside, interrupted }: Session): Promise<Line> {
  const kernels = { '': await outside.kernel(o.kernel) };
  const run = await measuredRun(
    experiment('rpc8k'),
    { kernels, parameters: { point: o.point, seconds: o.seconds } },
    interrupted,
  );
  const r = run.result as {
    readonly point: string;
    readonly rpcs: number;
    readonly frames: number;
    readonly simulatedSeconds: number;
    readonly rpcsPerSecond: number;
  };
  return {
    name: 'rpc8k',
    units: r.frames,
    sec: run.wallSeconds,
    cpu: run.cpuSeconds,
    rate: Math.round(r.frames / run.cpuSeconds),
    check: `${r.rpcsPerSecond.toFixed(1)} RPCs per simulated second`,
    point: r.point,
    rpcs: r.rpcs,
    frames: r.frames,
    simulatedSeconds: r.simulatedSeconds,
    simulatedSecondsPerCpuSecond: round(r.simulatedSeconds / run.cpuSeconds),
  };
}

/** Null where the program is not there, or fails. */
function peer(folder: string, [program = '', ...words]: readonly string[]): Line | null {
  const script = words[0]?.endsWith('.py') === true ? join(folder, words[0]) : null;
  const command = script === null ? join(folder, program) : program;
  if (script === null ? !existsSync(command) : !existsSync(script)) return null;
  const ran = spawnSync(command, script === null ? [...words] : [script, ...words.slice(1)], {
    encoding: 'utf8',
  });
  if (ran.status !== 0) return null;
  const line = JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '{}') as {
    readonly name: string;
    readonly units: number;
    readonly sec: number;
    readonly cpu: number;
    readonly rate: number;
  };
  return { ...line, check: '' };
}
