/** Runs a workload on a storage and, step by step, on the model; keeps what a crash state is made from. */
import type { Task } from '@backplane/engine';
import { isKernelError, type KernelErrorKind } from '@backplane/slots';
import { Boot, Panic } from './boot.ts';
import { unmet } from './conditions.ts';
import type { DiskFaults } from './disk.ts';
import { type Node, nobody, rootNode } from './history.ts';
import { Journal } from './journal.ts';
import { Expectation, type Moment } from './judge.ts';
import type { Image } from './medium.ts';
import { Model } from './model.ts';
import { type CrashWorkload, textOf } from './operation.ts';
import { fileKey, type Performed, Process } from './perform.ts';
import { runs } from './runs.ts';
import type { Promises, StoreUnderTest } from './store.ts';
import { type Tree, type TreeNode, walk } from './tree.ts';
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
  /** How far it came. */
  readonly end: Moment;
  /** Reads since the last boot, those of the boot itself aside. */
  readonly reads: { readonly from: number; readonly to: number };
}

/** What is to go wrong in a run. */
export interface Course {
  /** From the first operation on, or from the one before which the machine is booted again. */
  readonly faults?: DiskFaults | undefined;
  /** Operations before an orderly halt and another boot, so that what they made must be read. */
  readonly restart?: number | undefined;
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
  course: Course = {},
): Recording {
  return new Recorder(store, before, workload, course).run();
}

class Recorder {
  readonly #store: StoreUnderTest;
  readonly #before: Image;
  readonly #workload: CrashWorkload;
  readonly #course: Course;
  readonly #journal = new Journal();
  readonly #model = new Model();
  readonly #nodes = new Map<string, Node>();
  readonly #violations: Violation[] = [];
  #boot: Boot;
  #start = 0;
  #errors = 0;
  #readsFrom = 0;
  #end: Moment;

  constructor(store: StoreUnderTest, before: Image, workload: CrashWorkload, course: Course) {
    this.#store = store;
    this.#before = before;
    this.#workload = workload;
    this.#course = course;
    this.#boot = new Boot(store, before.copy(), this.#journal);
    this.#end = { done: workload.operations.length, underWay: false };
  }

  run(): Recording {
    const boot = this.#boot;
    try {
      boot.recover();
      this.#nodes.set(fileKey(boot.storage.root), rootNode);
      this.#takeWhatIsThere(boot);
      if (this.#course.restart === undefined) boot.disk.faults = this.#course.faults ?? null;
      this.#perform();
    } catch (e) {
      if (e instanceof Panic) this.#say(e.how === 'hangs' ? 'hang' : 'panic', e.message);
      else if (isKernelError(e)) this.#say('refused', `${e.message}, without any crash`);
      else throw e;
    }
    const { disk } = this.#boot;
    disk.faults = null;
    return {
      store: this.#store,
      workload: this.#workload,
      before: this.#before,
      after: disk.image,
      journal: this.#journal,
      start: this.#start,
      model: this.#model,
      nodes: this.#nodes,
      violations: this.#violations,
      errors: this.#errors,
      writes: this.#journal.writes,
      end: this.#end,
      reads: { from: this.#readsFrom, to: disk.reads },
    };
  }

  /** The disk may hold something that was confirmed long ago: a filler, or an earlier life. */
  #takeWhatIsThere(boot: Boot): void {
    const tree = boot.run(walk(boot.storage));
    this.#model.adopt(tree, this.#nodes);
    this.#model.confirmAll();
  }

  #perform(): void {
    const { operations, prelude, demands } = this.#workload;
    const { faults, restart } = this.#course;
    const real = new Process(this.#boot.storage);
    const ideal = new Process(this.#model);
    const { history } = this.#model;
    for (const [i, o] of operations.entries()) {
      if (i === restart) this.#restart(real);
      const boot = this.#boot;
      history.operation = i;
      this.#journal.begin(i);
      const made = { real: real.made.length, ideal: ideal.made.length };
      const seen = outcome(() => boot.run(real.perform(o)));
      const expected = o.op === 'wait' ? seen : outcome(() => immediate(ideal.perform(o)));
      for (let k = 0; made.real + k < real.made.length && made.ideal + k < ideal.made.length; k++)
        this.#nodes.set(fileKey(at(real.made, made.real + k)), at(ideal.made, made.ideal + k).number);
      if (faults === undefined && seen.error === 'ioError')
        this.#say('outcome', `${textOf(o)} ended with ioError, and no disk has failed`);
      if (this.#mayFail(seen.error) && (expected.error === null || faults?.failsRead !== undefined)) {
        this.#errors++;
        if (o.op === 'open') ideal.forget(o.handle);
        const unknown = real.made.length === made.real ? ideal.made[made.ideal]?.number : undefined;
        if (!this.#goOn(i, unknown)) return;
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
    if (faults?.failsRead !== undefined) {
      this.#lookAround(this.#end);
      return;
    }
    this.#boot.disk.faults = null;
    const tree = this.#boot.run(walk(this.#boot.storage));
    this.#compare(tree);
    if (this.#errors === 0) this.#violations.push(...unmet(demands, tree));
  }

  /** Another boot finds the disk as an orderly halt left it, and has nothing in memory. */
  #restart(process: Process): void {
    this.#boot.halt();
    this.#boot = new Boot(this.#store, this.#boot.disk.image, this.#journal);
    this.#boot.recover();
    process.files = this.#boot.storage;
    this.#readsFrom = this.#boot.disk.reads;
    this.#boot.disk.faults = this.#course.faults ?? null;
  }

  #mayFail(error: KernelErrorKind | null): boolean {
    return error === 'ioError' || (error === 'noSpace' && this.#course.faults?.failsRead === undefined);
  }

  /**
   * After an operation that failed there has to be what was there before, or a part of what it was to do: nobody knows how
   * far it came, and what there is now is what the next one begins with.
   *
   * @param made the model's number of a file that the operation makes
   * @returns whether the next one can be tried
   */
  #goOn(i: number, made: Node | undefined): boolean {
    const moment = { done: i, underWay: true };
    const tree = this.#lookAround(moment, made);
    if (tree === null || tree.unreadable.length > 0) {
      this.#end = moment;
      return false;
    }
    this.#model.adopt(tree, this.#nodes);
    return true;
  }

  /** What can be read must be right, though nothing has been confirmed. @returns null when not even the root can be */
  #lookAround(moment: Moment, made?: Node): Tree | null {
    const { storage } = this.#boot;
    let tree: Tree;
    try {
      tree = this.#boot.run(walk(storage));
    } catch (e) {
      if (isKernelError(e, 'ioError')) return null;
      throw e;
    }
    const strange = [...tree.nodes.keys()].filter((id) => !this.#nodes.has(id));
    if (made !== undefined && strange.length === 1) this.#nodes.set(at(strange, 0), made);
    const promises: Promises = { ...this.#store.promises, names: 'each', contents: 'bytes' };
    const expected = new Expectation(this.#model.history, promises, moment, 'everything');
    for (const { kind, text } of expected.judge(tree, this.#nodes, true))
      this.#say(kind, `after a failure, without any crash: ${text}`);
    return tree;
  }

  /** Without a crash the storage shows exactly what the model has. */
  #compare(tree: Tree): void {
    const ideal = immediate(walk(this.#model));
    const nodeOf = (id: string): Node | undefined => this.#nodes.get(id);
    const numberOf = (id: string): Node => Number(id.split('.')[0]);
    const wanted = new Map([...ideal.nodes.values()].map((n) => [numberOf(n.id), n]));
    const same =
      tree.nodes.size === wanted.size &&
      [...tree.nodes.values()].every((n) => {
        const w = wanted.get(nodeOf(n.id) ?? nobody);
        return w !== undefined && alike(n, w, nodeOf, numberOf);
      });
    if (!same)
      this.#say(
        'outcome',
        `in the end there is\n${shown(tree, nodeOf)}\nand there should be\n${shown(ideal, numberOf)}`,
      );
  }

  #say(kind: string, text: string): void {
    this.#violations.push({ kind, text });
  }
}

/** Files of two trees, which number them in two ways. */
function alike(
  a: TreeNode,
  b: TreeNode,
  nodeOfA: (id: string) => Node | undefined,
  nodeOfB: (id: string) => Node | undefined,
): boolean {
  return (
    a.type === b.type &&
    a.links === b.links &&
    a.mode === b.mode &&
    Buffer.compare(a.bytes, b.bytes) === 0 &&
    a.entries.length === b.entries.length &&
    a.entries.every((e, i) => {
      const other = b.entries[i];
      return e.name === other?.name && nodeOfA(e.node.id) === nodeOfB(other.node.id);
    })
  );
}

/** A tree as text, a line for each file. */
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
