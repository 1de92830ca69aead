/**
 * A campaign in pieces that can be handed to another thread. `mandatory` ones are done once; `sampled` ones go on, round
 * after round with other seeds, as long as there is time.
 */
import { Engine } from '@backplane/engine';
import { type Generated, sampledSequences, sequencesOf } from './generate.ts';
import type { CrashWorkload } from './operation.ts';
import { Probe } from './probe.ts';
import { shippedNames, shippedWorkload } from './shipped.ts';
import type { CrashKind } from './states.ts';
import type { StoreUnderTest } from './store.ts';
import type { Tally } from './tally.ts';
import { type DiskSize, Tester } from './tester.ts';

/** Where workloads come from: short sequences of a length, or files. */
export type Origin = 'length 1' | 'length 2' | 'length 3' | 'workloads';

export interface Task {
  /** For people: what is being done. */
  readonly title: string;
  readonly origin: Origin;
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

/** How many sequences there are of a length. */
export interface Space {
  readonly length: number;
  readonly generated: number;
  readonly pruned: number;
}

export interface TaskResult {
  readonly tally: Tally;
  /** Where its workloads are part of a whole. */
  readonly space: Space | null;
  /** Workloads that were run. */
  readonly workloads: number;
  readonly cut: boolean;
}

/** Keeps what tasks have in common: formatted disks, sequences. */
export class TaskRunner {
  readonly #testers: { readonly [S in DiskSize]: Tester };
  readonly #sequences = new Map<number, Generated>();

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
    return { tally: probe.tally, space: this.#space(task), workloads, cut: probe.cut };
  }

  /** States until a disk that lies about its barriers was found out; null when it was not. */
  control(w: CrashWorkload, seed: number): number | null {
    return new Probe(this.#testers.short, 'short', Number.POSITIVE_INFINITY).control(w, seed);
  }

  #all(length: number): Generated {
    const all = this.#sequences.get(length) ?? sequencesOf(length);
    this.#sequences.set(length, all);
    return all;
  }

  #space({ source }: Task): Space | null {
    if (source.from !== 'sequences') return null;
    const { length, generated, pruned } = this.#all(source.length);
    return { length, generated, pruned };
  }

  #workloads({ source, seed }: Task): readonly CrashWorkload[] {
    switch (source.from) {
      case 'shipped':
        return shippedWorkload(source.name);
      case 'given':
        return source.workloads;
      case 'sequences': {
        const { sequences } = this.#all(source.length);
        return sequences.filter((_, i) => i % source.step === source.offset);
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

/** Of what is sampled. */
const everything: readonly CrashKind[] = [
  'torn',
  'reordered',
  'recovery',
  'damaged',
  'misdirected',
  'ioError',
  'readError',
  'full',
];

/** What has to be done: every boundary of the workloads that come with the package, and of all sequences of 1 and 2. */
export function mandatoryOfAll(untilMs: number, seed: number): readonly Task[] {
  const common = { kinds: ['prefix'], samples: 0, seed, untilMs } as const;
  const pieces = 48;
  const ofLength = (length: 1 | 2, step: number): readonly Task[] =>
    Array.from({ length: step }, (_, offset) => ({
      title: `length ${length}`,
      origin: `length ${length}`,
      size: 'short',
      source: { from: 'sequences', length, offset, step },
      ...common,
    }));
  return [
    // The longest first, so that the threads come to an end together.
    ...shippedNames().map(
      (name): Task => ({
        title: name,
        origin: 'workloads',
        size: 'long',
        source: { from: 'shipped', name },
        ...common,
      }),
    ),
    ...ofLength(1, 2),
    ...ofLength(2, pieces),
  ];
}

/** One round after the other of everything that is sampled. Never ends. */
export function* sampledOfAll(untilMs: number, seed: number): Generator<Task> {
  const readers = 4;
  for (let offset = 0; offset < readers; offset++)
    yield {
      title: 'length 1, every read, sampled',
      origin: 'length 1',
      size: 'short',
      source: { from: 'sequences', length: 1, offset, step: readers },
      kinds: ['readError'],
      samples: 8,
      seed,
      untilMs,
    };
  for (let round = 0; ; round++) {
    const common = { kinds: everything, samples: 2, seed: seed + 1000 * round, untilMs };
    const step = 60;
    yield {
      title: 'length 1, sampled',
      origin: 'length 1',
      size: 'short',
      source: { from: 'sequences', length: 1, offset: round % 8, step: 8 },
      ...common,
    };
    yield {
      title: 'length 2, sampled',
      origin: 'length 2',
      size: 'short',
      source: { from: 'sequences', length: 2, offset: round % step, step },
      ...common,
    };
    yield {
      title: 'length 3',
      origin: 'length 3',
      size: 'short',
      source: { from: 'sampled', length: 3, count: 16 },
      ...common,
      kinds: ['prefix', 'torn', 'reordered'],
    };
    const names = shippedNames();
    const name = names[round % names.length];
    if (name !== undefined)
      yield {
        title: `${name}, sampled`,
        origin: 'workloads',
        size: 'long',
        source: { from: 'shipped', name },
        ...common,
      };
  }
}

/** Of workloads that were given: each kind once with care; then again, with other seeds. */
export function mandatoryOf(
  workloads: readonly CrashWorkload[],
  untilMs: number,
  seed: number,
): readonly Task[] {
  return (['prefix', ...everything] as const).map(
    (kind): Task => ({
      title: kind,
      origin: 'workloads',
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
      origin: 'workloads',
      size: 'long',
      source: { from: 'given', workloads },
      kinds: ['torn', 'reordered', 'damaged', 'misdirected'],
      samples: 8,
      seed: seed + 1000 * round,
      untilMs,
    };
}
