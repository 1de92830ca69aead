/** Operations that make sense on a storage without a kernel, out of those of an operation file; and their text. */
import type { Condition, FileOperation, Step, Workload } from '@backplane/lab';
import { notBelow } from './errors.ts';

type Unfit = 'lock' | 'fork' | 'setuid' | 'exit';
export type CrashOperation =
  | Exclude<FileOperation, { readonly op: Unfit }>
  | { readonly op: 'clean' | 'checkpoint' }
  | { readonly op: 'wait'; readonly seconds: number };

/** Something that must hold in every crash state after a persistence point, and at the end. */
export interface Demand {
  readonly line: number;
  readonly text: string;
  /** Persistence points that must have been passed, from 1. */
  readonly after: number;
  readonly alternatives: readonly (readonly Condition[])[];
}

export interface CrashWorkload {
  readonly name: string;
  readonly operations: readonly CrashOperation[];
  /** Crashes come after so many operations; those before only make what the others need. */
  readonly prelude: number;
  /** Indices of operations that are persistence points. */
  readonly points: readonly number[];
  readonly demands: readonly Demand[];
}

const why: { readonly [op in Unfit]: string } = {
  lock: 'locks are of an open file',
  fork: 'fork makes a second process',
  setuid: 'setuid changes what a process may',
  exit: 'exit ends a process',
};

/** @throws BackplaneError NOT_BELOW_SYSTEM_CALLS with file and line */
export function crashWorkload(w: Workload, file: string): CrashWorkload {
  const operations: CrashOperation[] = [];
  const points: number[] = [];
  const demands: Demand[] = [];
  const first = w.steps.find((s) => s.step === 'file');
  for (const step of w.steps) {
    if (step.step === 'condition') {
      const after = Number(/^must\s+(\d+)/.exec(step.text)?.[1] ?? 1);
      demands.push({ line: step.line, text: step.text, alternatives: step.alternatives, after });
      continue;
    }
    const operation = fitting(step, file, first);
    if (operation === null) continue;
    if (step.step === 'file' && step.persistence !== null) points.push(operations.length);
    operations.push(operation);
  }
  return {
    name: w.name,
    operations,
    prelude: 0,
    points,
    demands: demands.map((d) => ({ ...d, after: Math.min(d.after, Math.max(1, points.length)) })),
  };
}

function fitting(
  step: Exclude<Step, { readonly step: 'condition' }>,
  file: string,
  first: Step | undefined,
): CrashOperation | null {
  const { line } = step;
  const hint = 'backplane run replay --ops FILE runs it on a cluster.';
  if (step.step === 'world') {
    const o = step.operation;
    if (o.op === 'join') return null; // nothing is ever under way
    if (o.op === 'wait') {
      if (o.seconds > waitSecondsMax)
        throw notBelow(
          file,
          line,
          `wait ${o.seconds} needs a machine that does something meanwhile`,
          `wait ${waitSecondsMax}`,
        );
      return o;
    }
    if (o.op === 'clean' || o.op === 'checkpoint') return { op: o.op };
    throw notBelow(file, line, `${o.op} needs machines`, hint);
  }
  if (first?.step === 'file' && (first.client !== step.client || first.process !== step.process))
    throw notBelow(file, line, `${step.client}.${step.process} is a second process`, hint);
  const o = step.operation;
  if (o.op === 'lock' || o.op === 'fork' || o.op === 'setuid' || o.op === 'exit')
    throw notBelow(file, line, why[o.op], hint);
  return o;
}

/** All that a storage does by age it has done long before. */
const waitSecondsMax = 10_000;

const quoted = (word: string): string => (/[\s;|#]/.test(word) || word === '' ? `"${word}"` : word);
const octal = (mode: number): string => mode.toString(8);
const letter = (byte: number): string => String.fromCharCode(byte);

/** As it stands in an operation file. */
export function textOf(o: CrashOperation): string {
  switch (o.op) {
    case 'mkdir':
    case 'creat':
    case 'chmod':
      return `${o.op} ${quoted(o.path)} ${octal(o.mode)}`;
    case 'write':
      return `write ${quoted(o.path)} ${o.offset} ${o.length} ${letter(o.byte)}`;
    case 'append':
      return `append ${quoted(o.path)} ${o.length} ${letter(o.byte)}`;
    case 'read':
      return `read ${quoted(o.path)} ${o.offset} ${o.length}`;
    case 'trunc':
      return `trunc ${quoted(o.path)} ${o.size}`;
    case 'link':
    case 'rename':
      return `${o.op} ${quoted(o.from)} ${quoted(o.to)}`;
    case 'symlink':
      return `symlink ${quoted(o.text)} ${quoted(o.path)}`;
    case 'chown':
      return `chown ${quoted(o.path)} ${o.uid} ${o.gid}`;
    case 'utimes':
      return `utimes ${quoted(o.path)} ${o.accessSeconds} ${o.modifySeconds}`;
    case 'access':
      return `access ${quoted(o.path)} ${o.how}`;
    case 'open':
      return `open ${o.handle} ${quoted(o.path)} ${o.flags.join(',')} ${octal(o.mode)}`;
    case 'hread':
      return `hread ${o.handle} ${o.length}`;
    case 'hwrite':
      return `hwrite ${o.handle} ${o.length} ${letter(o.byte)}`;
    case 'pread':
      return `pread ${o.handle} ${o.offset} ${o.length}`;
    case 'pwrite':
      return `pwrite ${o.handle} ${o.offset} ${o.length} ${letter(o.byte)}`;
    case 'seek':
      return `seek ${o.handle} ${o.offset} ${{ start: 'set', current: 'cur', end: 'end' }[o.from]}`;
    case 'htrunc':
      return `htrunc ${o.handle} ${o.size}`;
    case 'hstat':
    case 'hsync':
    case 'close':
      return `${o.op} ${o.handle}`;
    case 'dup':
      return `dup ${o.handle} ${o.as}`;
    case 'umask':
      return `umask ${octal(o.mask)}`;
    case 'wait':
      return `wait ${o.seconds}`;
    case 'sync':
    case 'clean':
    case 'checkpoint':
      return o.op;
    default:
      return `${o.op} ${quoted(o.path)}`;
  }
}
