/**
 * A kernel whose system calls somebody watches, for timelines. The board is the same but for the programs that it
 * starts: each is handed its calls in a wrapping that tells of them. No event more or less happens for it.
 */
import type { Task } from '@backplane/engine';
import {
  type Board,
  type Calls,
  isKernelError,
  type Kernel,
  type Program,
  type SystemCalls,
} from '@backplane/slots';

/** The process that calls. */
export interface CallingProcess {
  readonly machine: string;
  readonly processId: number;
  readonly program: string;
}

export interface CallWatcher {
  called(who: CallingProcess, call: string, given: readonly unknown[]): void;
  /** @param error its kind, or null when all went well */
  returned(who: CallingProcess, error: string | null): void;
}

export function watchedKernel(kernel: Kernel, watcher: CallWatcher): Kernel {
  const boards = new Map(
    [...kernel.boards].map(([instance, board]) => [
      instance,
      board.slot === 'systemCalls' ? watchedBoard(board as Board<'systemCalls'>, watcher) : board,
    ]),
  );
  return { ...kernel, boards };
}

function watchedBoard(board: Board<'systemCalls'>, watcher: CallWatcher): Board<'systemCalls'> {
  const inside = new WeakMap<SystemCalls, SystemCalls>();
  const { start, halt } = board;
  return {
    ...board,
    create(granted, place) {
      const calls = board.create(granted, place);
      const outside: SystemCalls = {
        start: (name, program, o) => calls.start(name, watchedProgram(name, program, watcher), o),
        get processes() {
          return calls.processes;
        },
      };
      inside.set(outside, calls);
      return outside;
    },
    ...(start && { start: (calls) => start(inside.get(calls) ?? calls) }),
    ...(halt && { halt: (calls) => halt(inside.get(calls) ?? calls) }),
  };
}

const watchedProgram =
  (name: string, program: Program, watcher: CallWatcher): Program =>
  (sys) =>
    program(watchedCalls(name, sys, watcher));

function watchedCalls(program: string, sys: Calls, watcher: CallWatcher): Calls {
  const who: CallingProcess = { machine: sys.machine, processId: sys.processId, program };
  return new Proxy(sys, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof key !== 'string' || typeof value !== 'function') return value;
      return (...given: readonly unknown[]) => {
        // A child is watched as well: its program is the second thing given.
        const passed =
          key === 'spawn'
            ? [given[0], watchedProgram(String(given[0]), given[1] as Program, watcher), ...given.slice(2)]
            : given;
        return told(who, key, given, Reflect.apply(value, target, passed) as Task<unknown>, watcher);
      };
    },
  });
}

function* told(
  who: CallingProcess,
  call: string,
  given: readonly unknown[],
  body: Task<unknown>,
  watcher: CallWatcher,
): Task<unknown> {
  watcher.called(who, call, given);
  let error: string | null = 'ended';
  try {
    const value = yield* body;
    error = null;
    return value;
  } catch (e) {
    if (isKernelError(e)) error = e.kind;
    throw e;
  } finally {
    watcher.returned(who, error);
  }
}
