/** Runs a workload on a storage and, step by step, on the model; keeps what a crash state is made from. */
import type { Task } from '@backplane/engine';
import { isKernelError, type KernelErrorKind } from '@backplane/slots';
import { Boot, Panic } from './boot.ts';
import { unmet } from './conditions.ts';
import type { DiskFaults } from './disk.ts';
import { type Node, rootNode } from './history.ts';
import { Journal } from './journal.ts';
import type { Image } from './medium.ts';
import { Model } from './model.ts';
import { type CrashWorkload, textOf } from './operation.ts';
import { fileKey, type Performed, Process } from './perform.ts';
import { runs } from './runs.ts';
import type { StoreUnderTest } from './store.ts';
import { type Tree, walk } from './tree.ts';
import type { Violation } from './violation.ts';

export interface Recording {
  readonly store: StoreUnderTest;
  readonly workload: CrashWorkload;
  /** What the disk held before the first boot. */
  readonly before: Image;
  /** What it held in the end. */
  readonly after: Image;
  readonly journal: Journal;
  /** Index of the first event after the prelude. */
  readonly start: number;
  readonly model: Model;
  /** The model's number of each of the storage's files. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** What was wrong already without any crash. */
  readonly violations: readonly Violation[];
  /** Operations that ended with an error of the disk. */
  readonly errors: number;
  readonly writes: number;
}

interface Outcome {
  readonly error: KernelErrorKind | null;
  readonly value: string;
  readonly performed: Performed | null;
}

/** @param before the disk, formatted; not changed */
export function record(
  store: StoreUnderTest,
  before: Image,
  workload: CrashWorkload,
  faults: DiskFaults | null = null,
): Recording {
  return new Recorder(store, before, workload, faults).run();
}

class Recorder {
  readonly #store: StoreUnderTest;
  readonly #before: Image;
  readonly #workload: CrashWorkload;
  readonly #faults: DiskFaults | null;
  readonly #journal = new Journal();
  readonly #model = new Model();
  readonly #nodes = new Map<string, Node>();
  readonly #violations: Violation[] = [];
  #start = 0;
  #errors = 0;

  constructor(store: StoreUnderTest, before: Image, workload: CrashWorkload, faults: DiskFaults | null) {
    this.#store = store;
    this.#before = before;
    this.#workload = workload;
    this.#faults = faults;
  }

  run(): Recording {
    const boot = new Boot(this.#store, this.#before.copy(), this.#journal);
    try {
      boot.recover();
      this.#nodes.set(fileKey(boot.storage.root), rootNode);
      this.#takeWhatIsThere(boot);
      boot.disk.faults = this.#faults;
      this.#perform(boot);
      boot.disk.faults = null;
    } catch (e) {
      if (e instanceof Panic) this.#say(e.how === 'hangs' ? 'hang' : 'panic', e.message);
      else if (isKernelError(e)) this.#say('refused', `${e.message}, without any crash`);
      else throw e;
    }
    return {
      store: this.#store,
      workload: this.#workload,
      before: this.#before,
      after: boot.disk.image,
      journal: this.#journal,
      start: this.#start,
      model: this.#model,
      nodes: this.#nodes,
      violations: this.#violations,
      errors: this.#errors,
      writes: boot.disk.writes,
    };
  }

  /** The disk may hold something that was confirmed long ago: a filler, or an earlier life. */
  #takeWhatIsThere(boot: Boot): void {
    const tree = boot.run(walk(boot.storage));
    this.#model.adopt(tree, this.#nodes);
    this.#model.confirmAll();
  }

  #perform(boot: Boot): void {
    const { operations, prelude, demands } = this.#workload;
    const real = new Process(boot.storage);
    const ideal = new Process(this.#model);
    const { history } = this.#model;
    for (const [i, o] of operations.entries()) {
      history.operation = i;
      this.#journal.begin(i);
      const made = { real: real.made.length, ideal: ideal.made.length };
      const seen = outcome(() => boot.run(real.perform(o)));
      const expected = o.op === 'wait' ? seen : outcome(() => immediate(ideal.perform(o)));
      for (let k = 0; made.real + k < real.made.length && made.ideal + k < ideal.made.length; k++)
        this.#nodes.set(fileKey(at(real.made, made.real + k)), at(ideal.made, made.ideal + k).number);
      if (this.#faults === null && seen.error === 'ioError')
        this.#say('outcome', `${textOf(o)} ended with ioError, and no disk has failed`);
      if (mayFail(seen.error) && expected.error === null) {
        this.#errors++;
        if (o.op === 'open') ideal.forget(o.handle);
        this.#model.adopt(boot.run(walk(boot.storage)), this.#nodes);
      } else {
        if (seen.error !== expected.error || seen.value !== expected.value)
          this.#say(
            'outcome',
            `${textOf(o)} ended with ${told(seen)}, and should have with ${told(expected)}`,
          );
        const confirmed = expected.performed?.confirmed ?? null;
        if (seen.error === null && confirmed === 'all') this.#model.confirmAll();
        else if (seen.error === null && confirmed !== null && confirmed !== 'all')
          this.#model.confirmFile(confirmed, {
            namesInside: this.#store.promises.directorySync === 'names',
          });
      }
      this.#journal.end(i);
      if (i + 1 === prelude) this.#start = this.#journal.events.length;
    }
    const tree = boot.run(walk(boot.storage));
    this.#compare(tree);
    if (this.#errors === 0) this.#violations.push(...unmet(demands, tree));
  }

  /** Without a crash the storage shows exactly what the model has. */
  #compare(tree: Tree): void {
    const ideal = immediate(walk(this.#model));
    const shown = (t: Tree, nodeOf: (id: string) => Node | undefined): string =>
      [...t.nodes.values()]
        .map((n) =>
          [
            nodeOf(n.id),
            n.type,
            n.links,
            n.mode,
            runs(n.bytes),
            ...n.entries.map((e) => `${e.name}=${nodeOf(e.node.id)}`),
          ].join(' '),
        )
        .sort()
        .join('\n');
    const seen = shown(tree, (id) => this.#nodes.get(id));
    const wanted = shown(ideal, (id) => Number(id.split('.')[0]));
    if (seen !== wanted) this.#say('outcome', `in the end there is\n${seen}\nand there should be\n${wanted}`);
  }

  #say(kind: string, text: string): void {
    this.#violations.push({ kind, text });
  }
}

/** Errors that a disk may cause. */
const mayFail = (error: KernelErrorKind | null): boolean => error === 'ioError' || error === 'noSpace';
const told = (o: Outcome): string => o.error ?? (o.value === '' ? 'success' : `"${o.value}"`);

function outcome(run: () => Performed): Outcome {
  try {
    const performed = run();
    return { error: null, value: performed.value, performed };
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return { error: e.kind, value: '', performed: null };
  }
}

/** Runs what never waits. */
export function immediate<T>(body: Task<T>): T {
  const step = body.next();
  if (step.done !== true) throw new Error('the model waits for something');
  return step.value;
}

function at<T>(list: readonly T[], i: number): T {
  return list[i] as T; // boundary: counted by the caller
}
