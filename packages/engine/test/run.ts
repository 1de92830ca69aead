import { Engine, EngineError, type Task } from '../src/index.ts';

/** Runs one body as a thread of a fresh engine until nothing is left to do, and gives what it returned. */
export function run<T>(body: (engine: Engine) => Task<T>): T {
  const engine = new Engine();
  let result: { value: T } | undefined;
  engine.root.spawn(
    'test',
    (function* (): Task<void> {
      result = { value: yield* body(engine) };
    })(),
  );
  engine.run();
  if (result === undefined) throw new Error('the body never returned');
  return result.value;
}

/** What a call throws, as an EngineError. */
export function engineError(f: () => unknown): EngineError {
  try {
    f();
  } catch (e) {
    if (e instanceof EngineError) return e;
    throw e;
  }
  throw new Error('it did not throw');
}

/** The error inside of a thread's or timer's failure. */
export function causeOf(f: () => unknown): unknown {
  return engineError(f).cause;
}

/** Takes an operation and does nothing with it: what the lint forbids, for tests of what happens then. */
export function forget(_op: unknown): void {}
