/** `backplane crash WORKLOAD|all --storage S`: what a power failure may leave, judged by a model that shares nothing with S. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import {
  type CampaignProgress,
  type CampaignResult,
  type CrashWorkload,
  campaign,
  formatCase,
  leastPromises,
  noSuchWorkload,
  parseCase,
  readWorkloads,
  replay,
  type StoreUnderTest,
  shippedNames,
  shippedWorkload,
  storeNamed,
  wrongStore,
} from '@backplane/crash';
import { parseDuration } from '@backplane/lab';
import type { Board } from '@backplane/slots';
import type { Command } from 'commander';
import pc from 'picocolors';
import { exit } from '../exit.ts';
import { formatTable, json, note, out } from '../output.ts';
import { checkWritable } from '../output-file.ts';
import { isFileName, OutsideModules } from '../outside/modules.ts';
import { recognize } from '../outside/shapes.ts';
import type { Session } from '../session.ts';
import { usage, whole } from '../settings.ts';

interface CrashOptions {
  readonly storage: string;
  readonly budget: string;
  readonly seed: string;
  readonly threads?: string;
  readonly counterexample: string;
  readonly json?: boolean;
}

export function addCrash(program: Command, session: Session): void {
  program
    .command('crash')
    .argument('<workload>', 'all, a file of operations, or one that comes with it; or: replay')
    .argument('[file]', 'of replay: a counterexample')
    .description('crash a storage at every write of a workload, and judge what is left')
    .requiredOption('--storage <storage>', 'ofs or lfs, or a file with a storage')
    .option('--budget <time>', 'what is sampled goes on for so long', '60s')
    .option('--seed <n>', 'of everything that is sampled', '1')
    .option('--threads <n>', 'at work at once (default: as many as processors)')
    .option('--counterexample <file>', 'where a failing case goes, made small', 'crash-counterexample.ops')
    .option('--json', 'one JSON object')
    .action(async (word: string, file: string | undefined, o: CrashOptions) => {
      const store = await storeOf(o.storage);
      if (word === 'replay') return again(store, file, o, session);
      if (file !== undefined) throw usage(`"${file}" is one word too many.`, `backplane crash ${word}`);
      const text = readText(word);
      if (text !== null && parseCase(text, word) !== null) return again(store, word, o, session);
      await run(store, workloadsOf(word, text), o, session);
    });
}

async function run(
  store: StoreUnderTest,
  workloads: 'all' | readonly CrashWorkload[],
  o: CrashOptions,
  session: Session,
): Promise<void> {
  const budgetNs = parseDuration(o.budget);
  if (budgetNs === undefined || budgetNs <= 0)
    throw usage(`--budget takes a duration, not "${o.budget}".`, '--budget 60s');
  const seed = whole('--seed', o.seed, 0, Number.MAX_SAFE_INTEGER);
  const threads = o.threads === undefined ? availableParallelism() : whole('--threads', o.threads, 1, 256);
  checkWritable('--counterexample', o.counterexample);
  const line = new ProgressLine();
  let result: CampaignResult;
  try {
    result = await campaign({
      store,
      workloads,
      budgetSeconds: budgetNs / 1e9,
      seed,
      threads,
      interrupted: session.interrupted,
      progress: (p) => line.show(p),
    });
  } finally {
    line.done();
  }
  const [worst] = result.failures;
  if (worst !== undefined) writeFileSync(o.counterexample, formatCase(o.storage, worst));
  const blind = result.lyingDiskFoundAfter === null;
  const { failures, ...counts } = result;
  const counterexample = worst === undefined ? null : o.counterexample;
  const examples = failures.map((f) => ({
    workload: f.workload.name,
    state: f.spec,
    violations: f.violations.slice(0, 3),
  }));
  if (o.json === true) json({ ...counts, counterexample, examples });
  else print(result, o);
  if (blind)
    note(
      `${pc.red('backplane:')} a disk that ignores its barriers was not found out: nothing here can be believed.`,
    );
  if (counterexample !== null) note(`Try: backplane crash replay ${counterexample} --storage ${o.storage}`);
  session.finish(result.violations > 0 || blind ? exit.failed : result.complete ? exit.good : exit.undecided);
}

function again(store: StoreUnderTest, file: string | undefined, o: CrashOptions, session: Session): void {
  const text = file === undefined ? null : readText(file);
  if (file === undefined || text === null)
    throw usage('replay needs the file of a counterexample.', `backplane crash replay ${o.counterexample}`);
  const c = parseCase(text, file);
  if (c === null)
    throw usage(`${file} does not say where it crashed.`, `backplane crash ${file} --storage ${o.storage}`);
  const r = replay(store, c);
  const { violations } = r;
  if (o.json === true) json({ states: 1, ...r, violations: violations.length, found: violations });
  else {
    out(pc.bold(`${r.workload}: ${r.spec.kind}, after ${r.spec.writes} writes`));
    for (const operation of r.operations) out(`  ${operation}`);
    if (r.fault !== null) out(`${r.fault}.`);
    out('After recovery:');
    for (const l of r.tree) out(`  ${l}`);
    if (violations.length === 0) out('Nothing is wrong with it.');
    for (const v of violations) out(`${pc.red(v.kind)}: ${v.text}`);
  }
  session.finish(violations.length > 0 ? exit.failed : exit.good);
}

function print(r: CampaignResult, o: CrashOptions): void {
  out(
    formatTable({
      title: `Crash states of ${r.storage}`,
      head: ['kind', 'states', 'distinct', 'violations', 'thread seconds', 'states/s of a thread'],
      rows: [
        ...Object.entries(r.byKind).map(([kind, n]) => [
          kind,
          String(n.states),
          String(n.distinct),
          String(n.violations),
          n.seconds.toFixed(1),
          n.states === 0 ? '' : rate(n.states, n.seconds),
        ]),
        ['all', String(r.states), String(r.distinct), String(r.violations)],
      ],
      note: `${r.mounted} different disks were mounted, ${r.runs} runs with ${r.writes} writes, seed ${r.seed}`,
    }),
  );
  out(
    formatTable({
      title: `By origin, on ${r.threads} thread${r.threads === 1 ? '' : 's'}`,
      head: [
        ...['origin', 'extent', 'workloads', 'states', 'distinct', 'disks mounted'],
        ...['seconds', 'states/s', 'distinct/s', 'disks/s'],
      ],
      rows: [...r.parts.map((p) => row(p.origin, p.extent, p.workloads, p)), row('all', '', null, r)],
      note: `${r.processorSeconds.toFixed(1)} processor seconds: ${rate(r.states, r.processorSeconds)} states, ${rate(r.distinct, r.processorSeconds)} distinct in each`,
    }),
  );
  for (const { length, generated, pruned, run } of r.sequences)
    out(
      length > 2
        ? `sequences of ${length} operations: ${run} sampled`
        : `sequences of ${length} operation${length === 1 ? '' : 's'}: ${generated} generated, ${pruned} pruned, ${run} run`,
    );
  if (r.lyingDiskFoundAfter !== null)
    out(`control: a disk that ignores its barriers was found out after ${r.lyingDiskFoundAfter} states`);
  if (!r.complete)
    out(`The time was over before everything was done that has to be: --budget is ${o.budget}.`);
  for (const { workload, spec, violations } of r.failures)
    out(
      `${pc.red(violations[0]?.kind ?? '')} (${spec.kind}, ${workload.name}): ${violations[0]?.text ?? ''}`,
    );
}

const rate = (n: number, seconds: number): string => String(Math.round(n / Math.max(seconds, 0.001)));

function row(
  origin: string,
  extent: string,
  workloads: number | null,
  p: Pick<CampaignResult, 'states' | 'distinct' | 'mounted' | 'seconds'>,
): readonly string[] {
  const { states, distinct, mounted, seconds } = p;
  return [
    ...[origin, extent, workloads === null ? '' : String(workloads)],
    ...[String(states), String(distinct), String(mounted), seconds.toFixed(1)],
    ...[rate(states, seconds), rate(distinct, seconds), rate(mounted, seconds)],
  ];
}

/** A storage of the project by name, or one from a file: with its promises, or a bare component with the least. */
async function storeOf(word: string): Promise<StoreUnderTest> {
  if (!isFileName(word)) return storeNamed(word);
  const exports = await new OutsideModules(process.cwd()).load(word);
  const value = exports['default'];
  if (typeof value === 'object' && value !== null && 'board' in value && 'promises' in value)
    return value as StoreUnderTest; // boundary: a file that nobody has compiled
  const found = recognize(word, exports);
  if (found.kind !== 'component' || found.component.slot !== 'storage')
    throw wrongStore(word, 'it exports no storage.');
  const make = found.component as unknown as () => Board<'storage'>; // its slot was looked at
  return { name: basename(word), board: () => make(), promises: leastPromises };
}

function workloadsOf(word: string, text: string | null): 'all' | readonly CrashWorkload[] {
  if (word === 'all') return 'all';
  if (text !== null) return readWorkloads(text, word);
  if (shippedNames().includes(word)) return shippedWorkload(word);
  throw noSuchWorkload(word, shippedNames());
}

/** Null where there is no such file. */
function readText(file: string): string | null {
  try {
    return readFileSync(resolve(file), 'utf8');
  } catch {
    return null;
  }
}

const everyMs = 100;

/** One line on a terminal: states, and how fast they come. */
class ProgressLine {
  readonly #on: boolean = process.stderr.isTTY === true;
  #shownMs = 0;

  show({ title, states, violations, seconds }: CampaignProgress): void {
    const nowMs = performance.now();
    if (!this.#on || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    process.stderr.write(
      `\r\x1b[K${title}  ${pc.bold(`${states} states`)}  ${(states / seconds).toFixed(0)}/s  ${violations === 0 ? 'nothing wrong' : pc.red(`${violations} wrong`)}`,
    );
  }

  done(): void {
    if (this.#on && this.#shownMs > 0) process.stderr.write('\r\x1b[K');
  }
}
