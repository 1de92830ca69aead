/** Deterministic virtual time. The names in groups, in the order in which one meets them. */

export { Channel } from './channel.ts';
export { charge, settle } from './charge.ts';
export { Condition } from './condition.ts';
export { currentThread } from './current.ts';
export type { EngineEvent } from './engine.ts';
export { Engine } from './engine.ts';
export { EngineError } from './errors.ts';
export { Gate } from './gate.ts';
export type { Executor } from './ledger.ts';
export { exp, ln, pow } from './math.ts';
export { Mutex } from './mutex.ts';
export type { RandomStream } from './random.ts';
export { Scope } from './scope.ts';
export { Semaphore } from './semaphore.ts';
export { sleep } from './sleep.ts';
export type { Op, Suspend, Task } from './task.ts';
export { call, task, tasks } from './task.ts';
export { Thread } from './thread.ts';
export { CLUSTER_EPOCH_SECONDS, ms, seconds, TIME_MAX_NS, us } from './time.ts';
export { Timer } from './timer.ts';

export type { TraceEvent, TraceKinds, TraceSink } from './trace.ts';
export { Trace } from './trace.ts';
export { WaitQueue } from './wait-queue.ts';
