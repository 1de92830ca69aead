/**
 * A campaign in pieces that can be handed to another thread. `mandatory` ones are done once; `sampled` ones go on, round
 * after round with other seeds, as long as there is time.
 */
import { Engine } from '@backplane/engine';
import { sampledSequences, sequencesOf } from './generate.ts';
import type { CrashWorkload } from './operation.ts';
import { Probe } from './probe.ts';
import { shippedNames, shippedWorkload } from './shipped.ts';
import type { CrashKind } from './states.ts';
import type { StoreUnderTest } from './store.ts';
import type { Tally } from './tally.ts';
import { type DiskSize, Tester } from './tester.ts';

export interface Task {
  /** For people: what is being done. */
  readonly title: string;
  readonly size: DiskSize;
  readonly source:
    | { readonly from: 'shipped'; readonly name: string }
    | { readonly from: 'given'; readonly workloads: readonly CrashWorkload[] }
    /** Sequences of a length, of those that are not pruned every `step`-th from `offset` on. */
    | { readonly from: 'sequences'; readonly length: number; readonly offset: number; readonly step: number }
    | { readonly from: 'sampled'; readonly length: number; readonly count: number };
  readonly kinds: readonly CrashKind[];
  readonly samples: number;
  readonly seed: number;
  /** Milliseconds of the host's clock. */
  readonly untilMs: number;
}

export interface TaskResult {
  readonly tally: Tally;
  /** Workloads that were run. */
  readonly workloads: number;
  readonly cut: boolean;
}

/** Keeps what tasks have in common: formatted disks, sequences. */
export class TaskRunner {
  readonly #testers: { readonly [S in DiskSize]: Tester };
  readonly #sequences = new Map<number, readonly CrashWorkload[]>();

  constructor(store: StoreUnderTest) {
    this.#testers = { short: new Tester(store, 'short'), long: new Tester(store, 'long') };
  }

  run(task: Task): TaskResult {
    const probe = new Probe(this.#testers[task.size], task.size, task.untilMs);
    let workloads = 0;
    for (const w of this.#workloads(task)) {
      if (Date.now() >= task.untilMs) {
        probe.cut = true;
        break;
      }
      workloads++;
      probe.test(w, task.kinds, task);
    }
    return { tally: probe.tally, workloads, cut: probe.cut };
  }

  /** States until a disk that lies about its barriers was found out; null when it was not. */
  control(w: CrashWorkload, seed: number): number | null {
    return new Probe(this.#testers.short, 'short', Number.POSITIVE_INFINITY).control(w, seed);
  }

  #workloads({ source, seed }: Task): readonly CrashWorkload[] {
    switch (source.from) {
      case 'shipped':
        return shippedWorkload(source.name);
      case 'given':
        return source.workloads;
      case 'sequences': {
        const all = this.#sequences.get(source.length) ?? sequencesOf(source.length).sequences;
        this.#sequences.set(source.length, all);
        return all.filter((_, i) => i % source.step === source.offset);
      }
      case 'sampled':
        return sampledSequences(
          source.length,
          source.count,
          new Engine({ seed }).random('sequences', String(source.length)),
        );
    }
  }
}

const everything: readonly CrashKind[] = [
  'torn',
  'reordered',
  'recovery',
  'damaged',
  'misdirected',
  'ioError',
  'full',
];

/** What has to be done: every boundary of the workloads that come with the package, and of all sequences of 1 and 2. */
export function mandatoryOfAll(untilMs: number, seed: number): readonly Task[] {
  const common = { kinds: ['prefix'], samples: 0, seed, untilMs } as const;
  const pieces = 24;
  return [
    {
      title: 'length 1',
      size: 'short',
      source: { from: 'sequences', length: 1, offset: 0, step: 1 },
      ...common,
    },
    ...Array.from(
      { length: pieces },
      (_, offset): Task => ({
        title: 'length 2',
        size: 'short',
        source: { from: 'sequences', length: 2, offset, step: pieces },
        ...common,
      }),
    ),
    ...shippedNames().map(
      (name): Task => ({ title: name, size: 'long', source: { from: 'shipped', name }, ...common }),
    ),
  ];
}

/** One round after the other of everything that is sampled. Never ends. */
export function* sampledOfAll(untilMs: number, seed: number): Generator<Task> {
  for (let round = 0; ; round++) {
    const common = { kinds: everything, samples: 2, seed: seed + 1000 * round, untilMs };
    const step = 60;
    yield {
      title: 'length 1, sampled',
      size: 'short',
      source: { from: 'sequences', length: 1, offset: round % 8, step: 8 },
      ...common,
    };
    yield {
      title: 'length 2, sampled',
      size: 'short',
      source: { from: 'sequences', length: 2, offset: round % step, step },
      ...common,
    };
    yield {
      title: 'length 3',
      size: 'short',
      source: { from: 'sampled', length: 3, count: 16 },
      ...common,
      kinds: ['prefix', 'torn', 'reordered'],
    };
    const names = shippedNames();
    const name = names[round % names.length];
    if (name !== undefined)
      yield { title: `${name}, sampled`, size: 'long', source: { from: 'shipped', name }, ...common };
  }
}

/** Of workloads that were given: each kind once with care; then again, with other seeds. */
export function mandatoryOf(
  workloads: readonly CrashWorkload[],
  untilMs: number,
  seed: number,
): readonly Task[] {
  return (
    ['prefix', 'reordered', 'torn', 'recovery', 'damaged', 'misdirected', 'ioError', 'full'] as const
  ).map(
    (kind): Task => ({
      title: kind,
      size: 'long',
      source: { from: 'given', workloads },
      kinds: [kind],
      samples: 8,
      seed,
      untilMs,
    }),
  );
}

/** @param rounds after which nothing much is left to find */
export function* sampledOf(
  workloads: readonly CrashWorkload[],
  untilMs: number,
  seed: number,
  rounds: number,
): Generator<Task> {
  for (let round = 1; round <= rounds; round++)
    yield {
      title: `round ${round}`,
      size: 'long',
      source: { from: 'given', workloads },
      kinds: ['torn', 'reordered', 'damaged', 'misdirected'],
      samples: 8,
      seed: seed + 1000 * round,
      untilMs,
    };
}
