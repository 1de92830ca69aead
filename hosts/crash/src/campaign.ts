/** A whole campaign: tasks one after the other, or on several threads, until all is done or the time is over. */
import { Tinypool } from 'tinypool';
import type { CrashWorkload } from './operation.ts';
import { type Part, Parts, perSecond } from './parts.ts';
import { shrink } from './shrink.ts';
import type { StoreUnderTest } from './store.ts';
import { storeNames } from './stores.ts';
import { add, type Failure, newTally, type Tally } from './tally.ts';
import {
  mandatoryOf,
  mandatoryOfAll,
  type Origin,
  type Space,
  sampledOf,
  sampledOfAll,
  type Task,
  type TaskResult,
  TaskRunner,
} from './tasks.ts';
import { Tester } from './tester.ts';

export interface CampaignOptions {
  readonly store: StoreUnderTest;
  /** All that there are, or some that were given. */
  readonly workloads: 'all' | readonly CrashWorkload[];
  readonly budgetSeconds: number;
  readonly seed: number;
  /** More than one only for storages of the project, when the package has been built. */
  readonly threads?: number;
  readonly interrupted?: AbortSignal;
  readonly progress?: (p: CampaignProgress) => void;
}

export interface CampaignProgress {
  readonly title: string;
  readonly states: number;
  readonly violations: number;
  readonly seconds: number;
}

export interface Sequences {
  readonly length: number;
  readonly generated: number;
  readonly pruned: number;
  readonly run: number;
}

export interface CampaignResult extends Omit<Tally, 'failures'> {
  readonly storage: string;
  readonly seed: number;
  readonly workloads: number;
  readonly sequences: readonly Sequences[];
  readonly parts: readonly Part[];
  readonly threads: number;
  readonly seconds: number;
  /** Of the processors, with all threads and the compiler. */
  readonly processorSeconds: number;
  readonly statesPerSecond: number;
  readonly distinctPerSecond: number;
  /** A disk that lies about its barriers was found out after so many states; null: it was not. */
  readonly lyingDiskFoundAfter: number | null;
  /** Was everything done that has to be? */
  readonly complete: boolean;
  /** One of each sort, the first made small. */
  readonly failures: readonly Failure[];
}

/** Rounds of samples of one's own workloads. */
const roundsMax = 6;

export async function campaign(o: CampaignOptions): Promise<CampaignResult> {
  const startedMs = Date.now();
  const untilMs = startedMs + o.budgetSeconds * 1000;
  const all = o.workloads === 'all';
  const mandatory =
    o.workloads === 'all' ? mandatoryOfAll(untilMs, o.seed) : mandatoryOf(o.workloads, untilMs, o.seed);
  const sampled =
    o.workloads === 'all'
      ? sampledOfAll(untilMs, o.seed)
      : sampledOf(o.workloads, untilMs, o.seed, roundsMax);
  const tally = newTally();
  const parts = new Parts();
  const spaces = new Map<number, Space>();
  let complete = true;
  const took = ({ task, must }: Chosen, r: TaskResult, milliseconds: number): void => {
    add(tally, r.tally);
    parts.add(task, must, r, milliseconds);
    if (r.space !== null) spaces.set(r.space.length, r.space);
    if (must && r.cut) complete = false;
    o.progress?.({
      title: task.title,
      states: tally.states,
      violations: tally.violations,
      seconds: (Date.now() - startedMs) / 1000,
    });
  };
  const over = (): boolean => Date.now() >= untilMs || o.interrupted?.aborted === true;
  const workers = startWorkers(o);
  const lanes = workers?.options.maxThreads ?? 1;
  const runner = new TaskRunner(o.store);
  const before = process.cpuUsage();
  try {
    const lyingDiskFoundAfter = runner.control(controlWorkload, o.seed);
    const queue = chosen(mandatory, sampled);
    await work({ store: o.store.name, workers, runner, over, lanes }, queue, took);
    if (!parts.begunAll(mandatory)) complete = false;
    const seconds = (Date.now() - startedMs) / 1000;
    const { user, system } = process.cpuUsage(before);
    const { failures, ...counts } = tally;
    return {
      storage: o.store.name,
      seed: o.seed,
      workloads: parts.workloads('workloads'),
      sequences: all ? [1, 2, 3].map((length) => sequencesRun(length, parts, spaces)) : [],
      parts: parts.all(lanes),
      ...counts,
      threads: lanes,
      seconds,
      processorSeconds: (user + system) / 1e6,
      statesPerSecond: perSecond(tally.states, seconds),
      distinctPerSecond: perSecond(tally.distinct, seconds),
      lyingDiskFoundAfter,
      complete,
      failures: firstShrunk(o.store, failures),
    };
  } finally {
    await workers?.destroy();
  }
}

/** A task, and whether it has to be done. */
interface Chosen {
  readonly task: Task;
  readonly must: boolean;
}

function* chosen(mandatory: Iterable<Task>, sampled: Iterable<Task>): Generator<Chosen> {
  for (const task of mandatory) yield { task, must: true };
  for (const task of sampled) yield { task, must: false };
}

function sequencesRun(length: number, parts: Parts, spaces: ReadonlyMap<number, Space>): Sequences {
  const run = parts.workloads(`length ${length}` as Origin); // boundary: there are three
  const space = spaces.get(length);
  return { length, generated: space?.generated ?? run, pruned: space?.pruned ?? 0, run };
}

function firstShrunk(store: StoreUnderTest, failures: readonly Failure[]): readonly Failure[] {
  const [first, ...others] = failures;
  if (first === undefined) return [];
  return [shrink(new Tester(store, first.size), first, Date.now() + 5000), ...others];
}

/** Confirmed bytes and a confirmed name: lost, if a barrier means nothing. */
const controlWorkload: CrashWorkload = {
  name: 'control',
  operations: [
    { op: 'mkdir', path: '/A', mode: 0o755 },
    { op: 'creat', path: '/A/foo', mode: 0o644 },
    { op: 'write', path: '/A/foo', offset: 0, length: 6000, byte: 97 },
    { op: 'fsync', path: '/A/foo' },
    { op: 'append', path: '/A/foo', length: 3000, byte: 98 },
    { op: 'sync' },
  ],
  prelude: 0,
  points: [],
  demands: [],
};

/** Threads, where the code is there as a program of its own and the storage is one that it knows. */
function startWorkers({ store, threads = 1 }: CampaignOptions): Tinypool | null {
  const file = new URL('./worker.js', import.meta.url);
  if (threads < 2 || !storeNames.includes(store.name) || !import.meta.url.endsWith('.js')) return null;
  return new Tinypool({
    filename: file.href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
  });
}

interface Means {
  readonly store: string;
  readonly workers: Tinypool | null;
  readonly runner: TaskRunner;
  readonly over: () => boolean;
  /** Tasks at once. */
  readonly lanes: number;
}

/** Tasks in their order, as many at once as there are threads, until all are done or the time is over. */
async function work(
  { store, workers, runner, over, lanes }: Means,
  queue: Iterator<Chosen>,
  took: (chosen: Chosen, r: TaskResult, milliseconds: number) => void,
): Promise<void> {
  const lane = async (): Promise<void> => {
    while (!over()) {
      const next = queue.next();
      if (next.done === true) return;
      const { task } = next.value;
      const begunMs = performance.now();
      // boundary: what the worker returns
      const result =
        workers === null ? runner.run(task) : ((await workers.run({ store, task })) as TaskResult);
      took(next.value, result, performance.now() - begunMs);
      await new Promise((resume) => setImmediate(resume));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
