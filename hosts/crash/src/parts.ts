/** How much was done of what, and how fast: a campaign by where its workloads come from. */
import type { Origin, Task, TaskResult } from './tasks.ts';

/** Where workloads come from, and how much of them is tested. */
export interface Part {
  readonly origin: Origin;
  readonly extent: 'every boundary' | 'sampled';
  readonly workloads: number;
  readonly states: number;
  /** Of them judged, since they were like none before of their workload. */
  readonly distinct: number;
  /** Disks among those that differed. */
  readonly mounted: number;
  readonly violations: number;
  /** Its share of the whole time: that of each thread, from when it was given a task to when it had the result, by threads. */
  readonly seconds: number;
  readonly statesPerSecond: number;
  readonly distinctPerSecond: number;
}

export const perSecond: (n: number, seconds: number) => number = (n, seconds) =>
  Math.round(n / Math.max(seconds, 0.001));

interface Sum {
  workloads: number;
  states: number;
  distinct: number;
  mounted: number;
  violations: number;
  milliseconds: number;
}

/** What was done of each origin. */
export class Parts {
  readonly #sums = new Map<string, Sum & Pick<Part, 'origin' | 'extent'>>();
  readonly #begun = new Set<Task>();

  add(task: Task, must: boolean, r: TaskResult, milliseconds: number): void {
    this.#begun.add(task);
    const { origin } = task;
    const extent = task.kinds.every((k) => k === 'prefix') && must ? 'every boundary' : 'sampled';
    const key = `${extent} ${origin}`;
    const sum = this.#sums.get(key) ?? {
      origin,
      extent,
      workloads: 0,
      states: 0,
      distinct: 0,
      mounted: 0,
      violations: 0,
      milliseconds: 0,
    };
    this.#sums.set(key, sum);
    sum.workloads += r.workloads;
    sum.states += r.tally.states;
    sum.distinct += r.tally.distinct;
    sum.mounted += r.tally.mounted;
    sum.violations += r.tally.violations;
    sum.milliseconds += milliseconds;
  }

  begunAll(tasks: readonly Task[]): boolean {
    return tasks.every((t) => this.#begun.has(t));
  }

  /** Of an origin those that were crashed at every boundary, or sampled where that is never done. */
  workloads(origin: Origin): number {
    const of = (extent: Part['extent']): number => this.#sums.get(`${extent} ${origin}`)?.workloads ?? 0;
    return of('every boundary') || of('sampled');
  }

  all(lanes: number): readonly Part[] {
    return [...this.#sums.values()].map(({ milliseconds, ...sum }) => {
      const seconds = milliseconds / 1000 / lanes;
      return {
        ...sum,
        seconds,
        statesPerSecond: perSecond(sum.states, seconds),
        distinctPerSecond: perSecond(sum.distinct, seconds),
      };
    });
  }
}
