/**
 * Tasks: routines that may block, written as generators and run with `yield*`.
 *
 * `yield*` resumes a chain of generators from the outermost inwards, which costs O(depth) at each wake-up. A *marked*
 * task avoids it. Its iterator is not the generator but one shared object, the delegate, which runs the generator in
 * place. If it ends without blocking, the caller goes on at once. If it suspends, the delegate puts it among the fresh
 * frames and the caller suspends too; the scheduler then keeps both on the thread's stack, resumes only the
 * innermost, and gives its result to the caller when it has ended.
 *
 * Rules of use
 * - Call a task with `yield*`, where it is made. Marked and unmarked tasks mix freely.
 * - Mark kernel routines: `const read = task(function* read() {...})`, or `static { tasks(this); }` in a class.
 *   An unmarked task works too, but is unnamed in a thread's trace, and if its `finally` blocks while the thread is
 *   being cancelled, its callers go on as if it had returned (a rule of the language).
 * - Where time counts, make tasks of methods and named functions. Each evaluation of a `function*` expression makes a
 *   function with a prototype and hidden class of its own, which costs as much as the task and keeps what it captures
 *   alive until old objects are collected.
 * - A bare `yield` is an error; so is iterating a marked task with `for ... of`.
 */
import { forgottenYield, notATask } from './errors.ts';
import { registers } from './registers.ts';

/** What a generator yields when it suspends: nothing. */
export type Suspend = void;

/** A routine that may block: `const bytes = yield* read(fd)`. */
export type Task<T> = Generator<Suspend, T, unknown>;

/** A blocking primitive, or a marked call; consumed at once by `yield*`. */
export interface Op<T> {
  [Symbol.iterator](): Iterator<Suspend, T, unknown>;
}

/** A generator on the stack of a thread. */
export type Frame = Task<unknown>;

/** What resuming a frame returned. */
export type Step = IteratorResult<Suspend, unknown>;

interface TaskRegisters {
  /** What the `yield*` in progress is to do: start this task; suspend (true); or take its result (null). */
  pending: Frame | true | null;
  /** The answer with the result of the primitive just called, or of the frame that has just ended; `yield*` reads it at once. */
  readonly done: { readonly done: true; value: unknown };
  /** Frames that suspended in this step for the first time, innermost first. */
  readonly fresh: Frame[];
}

export const R: TaskRegisters = registers('task', () => ({
  pending: null,
  done: { done: true, value: undefined },
  fresh: [],
}));

const generatorFunction: unknown = Object.getPrototypeOf(function* () {});

/** Resumes a frame by the `next` that all generators share: each has a prototype of its own, so a lookup is slow. */
export const resume: (f: Frame) => Step = (() => {
  const next: (this: Frame) => Step = Object.getPrototypeOf(function* () {}).prototype.next;
  return (f) => next.call(f); // in a closure the compiler takes it for the constant it is
})();

const { done } = R;
const suspended: Step = { done: false, value: undefined };

/** What every `yield*` on a primitive or a marked task talks to. Stateless, so one object serves all. */
class Delegate {
  [Symbol.iterator](): this {
    return this;
  }

  /** First to begin, and again when the scheduler resumes the frame with a result. */
  next(): Step {
    const { pending } = R;
    if (pending === null) return done;
    R.pending = null;
    if (pending === true) return suspended;
    const step = resume(pending);
    if (!step.done) R.fresh.push(pending);
    return step;
  }

  throw(e: unknown): never {
    throw e;
  }

  return(value: unknown): IteratorReturnResult<unknown> {
    return { done: true, value };
  }
}

const delegate = new Delegate();

/** A primitive that has its result. */
export function ready<T>(value: T): Op<T> {
  done.value = value;
  return delegate as Op<T>; // boundary: the one object serves every type of result
}

/** A primitive that has queued its thread: the `yield*` on it suspends, and gives what the waker brings. */
export function blocked<T>(): Op<T> {
  R.pending = true;
  return delegate as Op<T>; // boundary: as above
}

function enter(this: Frame): Delegate {
  if (R.pending !== null) throw forgottenYield(`task ${frameName(this)}`);
  R.pending = this;
  return delegate;
}

/**
 * Marks a generator function: `yield*` on what it returns then resumes in O(1) at any depth.
 *
 * @throws EngineError NOT_A_TASK
 */
export function task<F extends (...args: never[]) => Task<unknown>>(f: F): F {
  if (Object.getPrototypeOf(f) !== generatorFunction) throw notATask(f.name);
  Object.defineProperties(f.prototype, { [Symbol.iterator]: { value: enter }, taskName: { value: f.name } });
  return f;
}

/** Marks every generator method of a class: `class Disk { static { tasks(this); } *read() {...} }`. */
export function tasks(c: abstract new (...args: never[]) => object): void {
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(c.prototype))) {
    if (typeof value === 'function' && Object.getPrototypeOf(value) === generatorFunction) task(value);
  }
}

/** Runs a task as a marked one at this call only: `yield* call(unmarked())`. */
export function call<T>(t: Task<T>): Op<T> {
  R.pending = t;
  return delegate as Op<T>; // boundary: as above
}

/** Name of a frame for traces and messages. */
export function frameName(f: Frame): string {
  return (f as { taskName?: string }).taskName ?? '(unmarked)';
}
