/** Looks for what is wrong with a storage, the cheap ways first, and stops when something is found. */
import {
  type CrashKind,
  type CrashWorkload,
  type DiskSize,
  type Failure,
  Probe,
  type StoreUnderTest,
  sequencesOf,
  shippedWorkload,
  Tester,
} from '@backplane/crash';

export interface Hunted {
  readonly states: number;
  readonly found: Failure | null;
}

interface Round {
  readonly kinds: readonly CrashKind[];
  readonly size: DiskSize;
  readonly workloads: readonly CrashWorkload[];
  /** Of everything that is sampled: 2 when left out, 8 for all. */
  readonly samples?: number;
}

const shipped = [
  'append-then-fsync',
  'replace-by-rename',
  'links-of-both-kinds',
  'shorten-and-extend',
  'holes',
  'attributes',
  'checkpoints',
  'directories-moved',
  'space-used-again',
];

const every = (n: number, all: readonly CrashWorkload[]): readonly CrashWorkload[] =>
  all.filter((_, i) => i % n === 0);

const rounds: readonly Round[] = (() => {
  const one = sequencesOf(1).sequences;
  const two = sequencesOf(2).sequences;
  const files = shipped.flatMap(shippedWorkload);
  return [
    { kinds: ['prefix'], size: 'short', workloads: one },
    { kinds: ['prefix', 'torn', 'reordered'], size: 'long', workloads: files },
    { kinds: ['torn', 'reordered'], size: 'short', workloads: every(2, one) },
    { kinds: ['prefix'], size: 'short', workloads: every(60, two) },
    { kinds: ['ioError'], size: 'short', workloads: every(5, one) },
    { kinds: ['full'], size: 'short', workloads: every(5, one) },
    { kinds: ['recovery'], size: 'short', workloads: every(5, one) },
    { kinds: ['readError'], size: 'short', workloads: every(5, one), samples: 8 },
  ];
})();

export function hunt(store: StoreUnderTest): Hunted {
  const testers = { short: new Tester(store, 'short'), long: new Tester(store, 'long') };
  let states = 0;
  for (const { kinds, size, workloads, samples = 2 } of rounds)
    for (const w of workloads) {
      const probe = new Probe(testers[size], size, Number.POSITIVE_INFINITY);
      probe.test(w, kinds, { samples, seed: 1 });
      states += probe.tally.states;
      const [found] = probe.tally.failures;
      if (found !== undefined) return { states, found };
    }
  return { states, found: null };
}
