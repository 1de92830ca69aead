/** The calls on processes and time, and how a program starts and ends. */
import { charge, settle, sleep, type Task, WaitQueue } from '@backplane/engine';
import { Busy, isKernelError, KernelError, type Program } from '@backplane/slots';
import { closeAll } from './file-calls.ts';
import type { Handlers, Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import { ProgramCalls } from './program-calls.ts';

type ProcessCall = 'compute' | 'sleep' | 'time' | 'spawn' | 'wait' | 'exit';

/** Exit status of a program that was killed: 128 and SIGKILL, as shells show it. */
const killedStatus = 137;

export const processCalls = (k: Kernel): Pick<Handlers, ProcessCall> => ({
  *compute(_, { ns }) {
    charge(Math.round(ns), Busy.user);
    yield* settle();
    return null;
  },
  *sleep(_, { ns }) {
    yield* sleep(Math.round(ns));
    return null;
  },
  *time() {
    return k.machine.engine.nowNs;
  },
  *spawn(p, { name, program }) {
    charge(k.machine.type.costs.processCreateNs, Busy.kernel);
    const child = k.createProcess(name, { parent: p, view: p.view.inherit(), who: p.who, umask: p.umask });
    for (const [fd, stream] of p.descriptors.all()) child.descriptors.put(fd, k.streams.share(stream));
    p.children.add(child);
    startProgram(k, child, program);
    return child.id;
  },
  *wait(p, { processId }) {
    for (;;) {
      const wanted = [...p.children].filter((c) => processId === null || c.id === processId);
      if (wanted.length === 0) throw new KernelError('noProcess');
      const ended = wanted.find((c) => c.ended);
      if (ended !== undefined) {
        p.children.delete(ended);
        k.processes.remove(ended);
        return { processId: ended.id, status: ended.status ?? 0 };
      }
      yield* p.childEnded.wait();
    }
  },
  *exit(p, { status }): Task<never> {
    p.status = status;
    // A thread cannot leave its own frames from inside: another one cancels it where it now waits for ever.
    k.machine.scope.spawn(`exit ${p.name}`, cancel(p));
    const never = new WaitQueue();
    for (;;) yield* never.wait();
  },
});

function* cancel(p: Process): Task<void> {
  p.thread?.cancel();
}

export function startProgram(k: Kernel, p: Process, program: Program): void {
  p.thread = p.scope.spawn(p.name, run(k, p, program));
}

function* run(k: Kernel, p: Process, program: Program): Task<void> {
  try {
    const status = yield* program(new ProgramCalls(k, p));
    p.status ??= status;
  } catch (e) {
    // An error that the program does not handle ends it; a broken invariant ends the run.
    if (!isKernelError(e)) throw e;
    p.status ??= 1;
  } finally {
    p.status ??= killedStatus;
    yield* closeAll(k, p.descriptors);
    p.memory.destroy();
    yield* settle();
    p.ended = true;
    for (const child of p.children) {
      child.parent = null;
      if (child.ended) k.processes.remove(child);
    }
    if (p.parent === null) k.processes.remove(p);
    else p.parent.childEnded.wakeAll();
  }
}
