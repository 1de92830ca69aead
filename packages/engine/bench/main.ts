/**
 * Runs one workload and prints one line of JSON: units, CPU seconds of the measured part (user and system, helper
 * threads of the runtime included), units per CPU second, and the check value.
 *
 *   node main.js w1 [processes sleeps [depth]] | callbacks [processes sleeps] | w2 [groups items] | mm1 [customers]
 *   node --expose-gc main.js memory [threads [depth]]
 */
import { memory } from './memory.ts';
import { mm1 } from './mm1.ts';
import { callbacks, w1 } from './w1.ts';
import { w2 } from './w2.ts';
import type { Outcome } from './workload.ts';

/** The part of Node that a measurement needs. */
declare const process: {
  readonly argv: readonly string[];
  readonly stdout: { write(text: string): void };
  cpuUsage(since?: CpuUsage): CpuUsage;
};
interface CpuUsage {
  readonly user: number;
  readonly system: number;
}

const [name = '', ...rest] = process.argv.slice(2);
const [a, b, c] = rest.map(Number);

const workloads: Record<string, () => Outcome> = {
  w1: () => w1({ processes: a ?? 1000, sleeps: b ?? 5000 }, c ?? 1),
  callbacks: () => callbacks({ processes: a ?? 1000, sleeps: b ?? 5000 }),
  w2: () => w2({ groups: a ?? 100, items: b ?? 1250 }),
  mm1: () => mm1({ customers: a ?? 500_000 }),
  memory: () => memory({ threads: a ?? 100_000, depth: b ?? 10 }),
};

const workload = workloads[name];
if (workload === undefined) throw new Error(`no workload "${name}": ${Object.keys(workloads).join(' ')}`);
const before = process.cpuUsage();
const { units, check } = workload();
const { user, system } = process.cpuUsage(before);
const cpu = (user + system) / 1e6;
const rate = Math.round(units / cpu);
process.stdout.write(
  `${JSON.stringify({ name: rest.length > 2 ? `${name}/${c}` : name, units, cpu, rate, check })}\n`,
);
