/** One thread of a campaign: does the tasks that it is handed, and keeps what they have in common. */
import { storeNamed } from './stores.ts';
import { type Task, type TaskResult, TaskRunner } from './tasks.ts';

const runners: Map<string, TaskRunner> = new Map();

export default ({ store, task }: { readonly store: string; readonly task: Task }): TaskResult => {
  const runner = runners.get(store) ?? new TaskRunner(storeNamed(store));
  runners.set(store, runner);
  return runner.run(task);
};
