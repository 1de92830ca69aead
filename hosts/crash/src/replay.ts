/** One case again, in detail: what was asked for, what the disk had, what was found. */
import type { Case } from './counterexample.ts';
import { examine } from './examine.ts';
import { textOf } from './operation.ts';
import { runs } from './runs.ts';
import type { StateSpec } from './states.ts';
import type { StoreUnderTest } from './store.ts';
import { Tester } from './tester.ts';
import type { TreeNode } from './tree.ts';
import type { Violation } from './violation.ts';

export interface Replayed {
  readonly storage: string;
  readonly workload: string;
  readonly spec: StateSpec;
  /** The request that failed, if any. */
  readonly fault: string | null;
  /** Operations that were over, and the one under way. */
  readonly operations: readonly string[];
  readonly violations: readonly Violation[];
  /** What the storage showed after recovery, a line for each path. */
  readonly tree: readonly string[];
}

export function replay(store: StoreUnderTest, c: Case): Replayed {
  const tester = new Tester(store, c.size);
  const { image, violations } = tester.decide(c.workload, c.spec);
  const { tree } = examine(store, image, { again: false });
  const { done, underWay } = c.spec.moment;
  return {
    storage: store.name,
    workload: c.workload.name,
    spec: c.spec,
    fault: faultOf(c.spec),
    operations: c.workload.operations
      .slice(0, underWay ? done + 1 : done)
      .map((o, i) => (i === done ? `${textOf(o)}   (under way)` : textOf(o))),
    violations,
    tree: tree === null ? [] : [...linesOf(tree.root, '/')],
  };
}

function faultOf({ fails, failsRead, restart, mountFails }: StateSpec): string | null {
  const failed = (what: string, lasting: boolean): string => `${what} failed${lasting ? ', for good' : ''}`;
  if (fails !== undefined) return failed(`write ${fails.write}`, fails.lasting);
  const boot = `read ${mountFails?.read ?? failsRead?.read} since the boot`;
  if (mountFails !== undefined) return failed(`${boot} after the crash`, mountFails.lasting);
  if (failsRead === undefined) return null;
  return failed(`${boot} after ${restart} operations`, failsRead.lasting);
}

function* linesOf(t: TreeNode, path: string): Generator<string> {
  yield `${path} ${t.type} links=${t.links} mode=${t.mode.toString(8)}${t.type === 'directory' ? '' : ` size=${t.bytes.length} ${runs(t.bytes, 8)}`}`;
  for (const { name, node } of t.entries) {
    const below = path === '/' ? `/${name}` : `${path}/${name}`;
    // A directory with two names is shown under the first.
    if (node.type !== 'directory' || node.path === below) yield* linesOf(node, below);
    else yield `${below} is ${node.path}`;
  }
}
