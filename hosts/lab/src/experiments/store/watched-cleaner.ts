/**
 * A cleaning policy that somebody watches: the utilisations of all segments when it is asked, and those of the segments
 * that are then cleaned. What it answers is not changed.
 */
import type { ClusterMachine } from '@backplane/chassis';
import type { Board, CleaningPolicy, Kernel, LiveBlock, SegmentState } from '@backplane/slots';

export class WatchedCleaner implements CleaningPolicy {
  /** How many segments the storage has cleaned. Set by who watches. */
  cleaned: () => number = () => 0;
  /** Size of the segments, once there were some to clean. */
  segmentBytes = 0;
  /** All that could be cleaned, whenever the policy was asked. */
  readonly seen: Utilisations = new Utilisations();
  readonly taken: Utilisations = new Utilisations();
  readonly #policy: CleaningPolicy;
  #chosen: readonly SegmentState[] = [];
  #cleanedBefore = 0;

  constructor(policy: CleaningPolicy) {
    this.#policy = policy;
  }

  choose(candidates: readonly SegmentState[], nowNs: number): readonly SegmentState[] {
    this.settle();
    for (const s of candidates) {
      this.seen.add(s.liveBytes / s.bytes);
      this.segmentBytes = s.bytes;
    }
    this.#chosen = this.#policy.choose(candidates, nowNs);
    return this.#chosen;
  }

  arrange<B extends LiveBlock>(blocks: readonly B[]): readonly B[] {
    return this.#policy.arrange(blocks);
  }

  /** Of what was chosen last the storage has cleaned the first so many. */
  settle(): void {
    const cleaned = this.cleaned();
    for (const s of this.#chosen.slice(0, cleaned - this.#cleanedBefore))
      this.taken.add(s.liveBytes / s.bytes);
    this.#chosen = [];
    this.#cleanedBefore = cleaned;
  }
}

const bins = 20;

/** Shares from 0 to 1, counted. */
export class Utilisations {
  readonly #counts: number[] = Array.from({ length: bins }, () => 0);
  #sum = 0;
  #count = 0;

  add(share: number): void {
    const bin = Math.min(bins - 1, Math.floor(share * bins));
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#sum += share;
    this.#count++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#sum = 0;
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** The share of them in each twentieth. */
  get histogram(): readonly number[] {
    return this.#counts.map((n) => (this.#count === 0 ? 0 : n / this.#count));
  }
}

export function watchedCleaner(kernel: Kernel): Kernel {
  const boards = new Map(
    [...kernel.boards].map(([instance, board]) => [
      instance,
      board.slot === 'cleaner' ? watchedBoard(board as Board<'cleaner'>) : board,
    ]),
  );
  return { ...kernel, boards };
}

const watchedBoard = (board: Board<'cleaner'>): Board<'cleaner'> => ({
  ...board,
  create: (granted, place) => new WatchedCleaner(board.create(granted, place)),
});

/** Of a machine whose kernel is watched. */
export function cleanerOf(machine: ClusterMachine): WatchedCleaner {
  const policy = machine.board('cleaner');
  if (policy instanceof WatchedCleaner) return policy;
  throw new Error(`nobody watches the cleaner of ${machine.name}`);
}
