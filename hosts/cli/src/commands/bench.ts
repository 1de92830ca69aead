/**
 * `backplane bench NAME`: speed of the emulation itself, per processor second. The workloads are defined so that other
 * simulators run them too; where their programs are found, they are run beside ours, in turn.
 */
import { callbacks, mm1, type Outcome, w1, w2 } from '@backplane/workloads';
import type { Command } from 'commander';
import { andrew } from '../bench/andrew.ts';
import { attach, leftByCrash } from '../bench/attach.ts';
import { creates, createsSize, otherStores, ownStore } from '../bench/creates.ts';
import { idle } from '../bench/idle.ts';
import { hostTree, importTree, removeTree } from '../bench/import.ts';
import { ipc } from '../bench/ipc.ts';
import { type Line, median, rounded, timed } from '../bench/line.ts';
import { createsByMemfs } from '../bench/memfs.ts';
import { memory } from '../bench/memory.ts';
import { findPeers, type Peers, runPeers, usualFolder } from '../bench/peers.ts';
import { type Rpc8kOptions, rpc8k } from '../bench/rpc8k.ts';
import { exit } from '../exit.ts';
import { formatTable, json, out } from '../output.ts';
import type { Session } from '../session.ts';
import { usage, whole } from '../settings.ts';

interface BenchOptions extends Rpc8kOptions {
  readonly json?: boolean;
  readonly rounds: string;
  readonly warmup?: string;
  readonly peers?: string;
  readonly peersBuild?: string;
}

/** Of the engine alone. */
const workloads: Readonly<Record<string, () => Outcome>> = {
  w1: () => w1({ processes: 1000, sleeps: 5000 }),
  'w1-5': () => w1({ processes: 1000, sleeps: 5000 }, 5),
  callbacks: () => callbacks({ processes: 1000, sleeps: 5000 }),
  w2: () => w2({ groups: 100, items: 500 }),
  mm1: () => mm1({ customers: 300_000 }),
};
const names = [
  ...Object.keys(workloads),
  'rpc8k',
  'andrew',
  'ipc-local',
  'ipc-remote',
  'creates',
  'attach',
  'import',
  'memory',
  'idle',
];

/** So much code that the runtime compiles for several seconds: a run is over before it has got far. */
const warmups: Readonly<Record<string, number>> = { andrew: 3, creates: 3 };

export function addBench(program: Command, session: Session): void {
  program
    .command('bench')
    .argument('<name>', names.join(', '))
    .description('speed of the emulation itself, beside other simulators')
    .option('--point <A|B|C>', 'of rpc8k: 10 hosts, 100 hosts, 100 hosts saturated', 'A')
    .option('--kernel <kernel>', 'of rpc8k: sprite, or a kernel file', 'sprite')
    .option('--seconds <n>', 'of rpc8k: simulated seconds (default: 2000, 1000, 1000 by point)')
    .option('--rounds <n>', 'measurements, of which the median by rate is shown', '5')
    .option('--warmup <n>', 'rounds before them that do not count (default: 3 of andrew and creates, else 0)')
    .option('--peers <dir>', `programs of other simulators (default: ${usualFolder}, if it is there)`)
    .option('--peers-build <dir>', 'the compiled ones among them (default: build, in that folder)')
    .option('--json', 'one JSON object')
    .action(async (name: string, o: BenchOptions) => {
      if (!names.includes(name))
        throw usage(`there is no benchmark "${name}".`, `backplane bench ${names.join(' | ')}`);
      const rounds = whole('--rounds', o.rounds, 1, 99);
      const before = o.warmup === undefined ? (warmups[name] ?? 0) : whole('--warmup', o.warmup, 0, 99);
      const peers = findPeers(process.cwd(), o.peers, o.peersBuild);
      const { once, end } = await prepare(name, o, session);
      try {
        for (let i = 0; i < before; i++) await inTurn(name, once);
        const { own, beside } = await measure(name, o.point, once, { rounds, peers });
        if (o.json === true) json({ ...own, ...(beside.length > 0 && { peers: beside }) });
        else print(name, rounds, own, beside);
      } finally {
        end();
      }
      session.finish(exit.good);
    });
}

/** A benchmark that can be run again and again, and what is to be done when it has been. */
interface Prepared {
  readonly once: () => Promise<Line>;
  readonly end: () => void;
}

async function prepare(name: string, o: BenchOptions, session: Session): Promise<Prepared> {
  const end = (): void => {};
  if (name === 'attach') {
    const left = await leftByCrash();
    return { once: () => attach(left), end };
  }
  if (name === 'import') {
    const tree = hostTree();
    return { once: () => importTree(tree), end: () => removeTree(tree) };
  }
  return { once: () => once(name, o, session), end };
}

/** Another program's line, and how many times as fast ours is: the median of what the rounds say, each for itself. */
interface Beside extends Line {
  readonly times: number;
}

/** Programs one after the other, so that whatever else the machine does falls on all of them. */
async function measure(
  name: string,
  point: string,
  once: () => Promise<Line>,
  { rounds, peers }: { readonly rounds: number; readonly peers: Peers | null },
): Promise<{ readonly own: Line; readonly beside: readonly Beside[] }> {
  const ours: Line[] = [];
  const compared = new Map<string, Beside[]>();
  for (let round = 0; round < rounds; round++) {
    const { own, beside } = await inTurn(name, once);
    ours.push(own);
    const programs = peers === null ? [] : runPeers(name === 'rpc8k' ? `rpc8k ${point}` : name, peers);
    for (const line of [...beside, ...programs]) {
      const measured = { ...line, times: rounded(own.rate / line.rate) };
      compared.set(line.name, [...(compared.get(line.name) ?? []), measured]);
    }
  }
  const beside = [...compared.values()].map((lines) => ({
    ...median(lines, (l) => l.rate),
    times: median(lines, (l) => l.times).times,
  }));
  return { own: median(ours, (l) => l.rate), beside };
}

/** A round of what runs in this process. */
async function inTurn(
  name: string,
  once: () => Promise<Line>,
): Promise<{ readonly own: Line; readonly beside: readonly Line[] }> {
  return { own: await once(), beside: await others(name) };
}

/** The same work by boards and libraries that ours is compared with. */
async function others(name: string): Promise<readonly Line[]> {
  if (name !== 'creates') return [];
  const lines: Line[] = [];
  for (const store of otherStores) lines.push(await creates(store));
  const library = await createsByMemfs(createsSize);
  return library === null ? lines : [...lines, library];
}

async function once(name: string, o: BenchOptions, session: Session): Promise<Line> {
  if (name === 'rpc8k') return await rpc8k(o, session);
  if (name === 'andrew') return await andrew(session);
  if (name === 'ipc-local') return await ipc('local', session);
  if (name === 'ipc-remote') return await ipc('remote', session);
  if (name === 'creates') return await creates(ownStore);
  if (name === 'memory') return memory();
  if (name === 'idle') return idle();
  return timed(name, () => workloads[name]?.() ?? { units: 0, check: '' });
}

function print(name: string, rounds: number, own: Line, beside: readonly Beside[]): void {
  const row = (l: Line, times: number): string[] => [
    l.name,
    l.cpu.toFixed(3),
    l.rate.toFixed(0),
    times.toFixed(2),
    l.check,
  ];
  const table = {
    title: `${name}, per processor second, median of ${rounds}`,
    head: ['program', 'seconds', 'rate', 'times', 'check'],
    rows: [row(own, 1), ...beside.map((l) => row(l, l.times))],
  };
  out(formatTable(table));
}
