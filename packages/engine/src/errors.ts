/**
 * What a developer did wrong with the engine: code and data for tools, a text that says where and what, and a hint.
 *
 * The class carries the brand of the project's developer errors, by which other packages know it without importing it.
 */

/** Values that can be printed and compared. */
type Plain = string | number | boolean | null;

export class EngineError extends Error {
  readonly backplane: string = 'BackplaneError';
  readonly code: string;
  readonly data: Readonly<Record<string, Plain>>;
  readonly hint: string;

  constructor(
    code: string,
    data: Readonly<Record<string, Plain>>,
    text: string,
    hint: string,
    options?: ErrorOptions,
  ) {
    super(text, options);
    this.name = 'EngineError';
    this.code = code;
    this.data = data;
    this.hint = hint;
  }
}

// ---- threads and tasks ----

export const outsideThread = (): EngineError =>
  new EngineError(
    'OUTSIDE_THREAD',
    {},
    'A call that needs a running thread was made outside of one (in a timer, or before run()).',
    'Spawn a thread: scope.spawn(name, body()). In a timer use what does not block: tryAcquire, release, signal, send, open.',
  );

export const forgottenYield = (where: string): EngineError =>
  new EngineError(
    'FORGOTTEN_YIELD',
    { where },
    `${where}: the blocking call before this one was made without yield*, so it did not block.`,
    'Write `yield*` in front of it.',
  );

export const bareYield = (where: string): EngineError =>
  new EngineError(
    'BARE_YIELD',
    { where },
    `${where}: a bare yield, and nothing will ever wake the thread.`,
    'Write `yield*` and a blocking call: sleep(0) lets the others run, a WaitQueue waits for an event.',
  );

export const notATask = (name: string): EngineError =>
  new EngineError(
    'NOT_A_TASK',
    { name },
    `task(${name}): only a generator function can be marked.`,
    'Write `function*` (or `*method()`).',
  );

export const joinsItself = (where: string): EngineError =>
  new EngineError(
    'JOINS_ITSELF',
    { where },
    `${where} joins itself: it would wait for ever.`,
    'Just return.',
  );

export const threadFailed = (where: string, chain: string, cause: unknown): EngineError =>
  new EngineError(
    'THREAD_FAILED',
    { where, chain },
    `${where} failed in ${chain}: ${textOf(cause)}`,
    'The tasks are listed innermost first, each waiting for the one before it; `cause` has the stack.',
    { cause },
  );

export const timerFailed = (where: string, cause: unknown): EngineError =>
  new EngineError('TIMER_FAILED', { where }, `${where} failed: ${textOf(cause)}`, '`cause` has the stack.', {
    cause,
  });

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

// ---- time ----

export const badTime = (fromNs: number, delayNs: number): EngineError =>
  new EngineError(
    'BAD_TIME',
    { fromNs, delayNs },
    `A delay of ${delayNs} ns from ${fromNs} ns: time is a whole number of nanoseconds from now to 2^53 - 1.`,
    delayNs === Infinity
      ? 'To wait for ever, wait on a WaitQueue or a Gate.'
      : 'Round where the duration is computed: us(1.5), ms(x), seconds(x), Math.round(x).',
  );

export const badCharge = (where: string, ns: number, category: number): EngineError =>
  new EngineError(
    'BAD_CHARGE',
    { where, ns, category },
    `${where}: charge(${ns}, ${category}): both must be whole numbers, not negative.`,
    'Round the cost where it is computed.',
  );

// ---- engine and scopes ----

export const runInsideRun = (): EngineError =>
  new EngineError(
    'RUN_INSIDE_RUN',
    {},
    'run() was called by code that run() is running.',
    'A thread waits with sleep() or join(); stop() ends the run.',
  );

export const badSeed = (seed: number): EngineError =>
  new EngineError('BAD_SEED', { seed }, `The seed ${seed} is not a whole number.`, 'Use 0 to 2^53 - 1.');

export const deadScope = (what: string, path: string): EngineError =>
  new EngineError(
    'DEAD_SCOPE',
    { what, path },
    `${what} "${path}", which is dead.`,
    'Ask scope.alive first.',
  );

export const foreignEngine = (where: string): EngineError =>
  new EngineError(
    'FOREIGN_ENGINE',
    { where },
    `${where} belongs to another engine.`,
    'Threads, timers and scopes stay within the engine that made them.',
  );

export const foreignCopy = (ours: number, theirs: number): EngineError =>
  new EngineError(
    'FOREIGN_COPY',
    { ours, theirs },
    `Two copies of @backplane/engine that do not fit together are loaded (layouts ${theirs} and ${ours}).`,
    'Make the versions agree: npm ls @backplane/engine, then npm dedupe.',
  );

export const paidTwice = (where: string): EngineError =>
  new EngineError(
    'PAID_TWICE',
    { where },
    `${where}: an executor called paid() for a debt that it had paid already.`,
    'Call paid() once for each execute().',
  );

// ---- locks ----

export const notHeld = (where: string): EngineError =>
  new EngineError(
    'NOT_HELD',
    { where },
    `${where} releases (or waits with) a mutex that it does not hold.`,
    'Acquire it first, and release it once.',
  );

export const alreadyHeld = (where: string): EngineError =>
  new EngineError(
    'ALREADY_HELD',
    { where },
    `${where} acquires a mutex that it holds already: it would wait for itself.`,
    'Split off the part that runs with the lock held.',
  );

// ---- numbers ----

export const badArgument = (call: string, wanted: string, value: number): EngineError =>
  new EngineError('BAD_ARGUMENT', { call, value }, `${call} got ${value}.`, `It takes ${wanted}.`);
