/** Makes and judges crash states of one storage: runs, images and what became of them, each made once. */
import { isKernelError } from '@backplane/slots';
import { Boot, Panic } from './boot.ts';
import { unmet } from './conditions.ts';
import { examine, type Outcome } from './examine.ts';
import { failingRead, failingWrite } from './faults.ts';
import { Journal, type WriteEvent } from './journal.ts';
import { Expectation, type Moment, signatureOf } from './judge.ts';
import { Image, Medium, sectorBytes } from './medium.ts';
import { mountFailing, readsOf } from './mount.ts';
import type { CrashWorkload } from './operation.ts';
import { type Recording, record } from './recording.ts';
import { apply, CrashStates, type RunSpec, type StateSpec } from './states.ts';
import type { StoreUnderTest } from './store.ts';
import type { Violation } from './violation.ts';

export type DiskSize = 'short' | 'long';
const usualSectors: { readonly [S in DiskSize]: number } = { short: 1024, long: 8192 };
const outcomesMax = 4000;
/** So many images for one that is booted a second time; which ones, their bytes decide. */
const againEvery = 4;
const fillerName = 'crash-test.filler';

/** A state that was made again. */
export interface Decided {
  readonly recording: Recording;
  readonly image: Image;
  readonly violations: readonly Violation[];
}

export class Tester {
  readonly store: StoreUnderTest;
  /** Images that were attached and looked over. */
  images = 0;
  readonly #sectors: number;
  readonly #fullSectors: number;
  #formatted: Image | null = null;
  /** Disks with so many blocks free. */
  readonly #full = new Map<number, Image>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #expectations = new WeakMap<Recording, Map<string, Expectation>>();

  constructor(store: StoreUnderTest, size: DiskSize) {
    this.store = store;
    const sectors = store.sectors ?? usualSectors;
    this.#sectors = sectors[size];
    this.#fullSectors = sectors.short;
  }

  /** A run of the workload, as the spec wants it: with requests that fail, on a disk that is nearly full. */
  record(w: CrashWorkload, spec: RunSpec = {}): Recording {
    const { fails, failsRead, restart } = spec;
    const faults =
      fails !== undefined
        ? failingWrite({ index: fails.write, lasting: fails.lasting })
        : failsRead !== undefined
          ? failingRead({ index: failsRead.read, lasting: failsRead.lasting })
          : undefined;
    return record(this.store, this.before(spec), w, { faults, restart });
  }

  /** The disk that a run begins with. */
  before({ free }: Pick<StateSpec, 'free'>): Image {
    return free === undefined ? this.formatted() : this.full(free);
  }

  /** What is wrong in this state; nothing, if it may be so. */
  judge(r: Recording, spec: StateSpec, image: Image): readonly Violation[] {
    if (spec.mountFails === undefined) return this.#judge(r, spec, image);
    const { tree, violations, left } = mountFailing(this.store, image, spec.mountFails);
    const found = [...violations];
    if (tree !== null)
      found.push(...this.#expectation(r, spec.moment).judge(tree, r.nodes, true).map(withFailedRead));
    // The next boot reads everything.
    found.push(...this.#judge(r, spec, left));
    return found;
  }

  #judge(r: Recording, spec: StateSpec, image: Image): readonly Violation[] {
    const outcome = this.#outcome(image);
    if (spec.damage !== undefined || spec.misdirected !== undefined)
      return this.#judgeDamaged(r, spec, outcome);
    const found = [...outcome.violations];
    if (outcome.tree === null) return found;
    found.push(...this.#expectation(r, spec.moment).judge(outcome.tree, r.nodes));
    const { demands, points } = r.workload;
    // What failed was not confirmed.
    if (demands.length > 0 && r.errors === 0)
      found.push(...unmet(demands, outcome.tree, points.filter((p) => p < spec.moment.done).length));
    return found;
  }

  /** Everything that a state is told apart by. */
  signature(r: Recording, spec: StateSpec, image: Image): string {
    const passed = r.workload.points.filter((p) => p < spec.moment.done).length;
    return `${image.key} ${signatureOf(r.model.history, spec.moment)} ${passed}`;
  }

  /** A workload is done with: nobody has its images any more. */
  release(medium: Medium): void {
    medium.forget(0);
  }

  /** Makes a state again, from its description alone, and judges it. */
  decide(w: CrashWorkload, spec: StateSpec): Decided {
    const recording = this.record(w, spec);
    let image = new CrashStates(recording, 0).again(spec);
    for (const writes of spec.again ?? []) image = this.#recovered(image, writes);
    for (const { sector, byte, bit } of spec.damage ?? []) flip(image, sector, byte, bit);
    const violations = [...recording.violations];
    if (spec.kind !== 'run') violations.push(...this.judge(recording, spec, image));
    return { recording, image, violations };
  }

  /** How often a boot reads, and whoever walks through the files after it. */
  readsOf(image: Image): number {
    return readsOf(this.store, image);
  }

  /** What recovery writes to the disk, in order. */
  recoveryOf(image: Image): readonly WriteEvent[] {
    const journal = new Journal();
    examine(this.store, image, { again: false, journal });
    const end = journal.events.findIndex((e) => e.event === 'begin');
    return journal.events
      .slice(0, end < 0 ? undefined : end)
      .filter((e): e is WriteEvent => e.event === 'write');
  }

  #recovered(image: Image, writes: number): Image {
    const next = image.copy();
    for (const w of this.recoveryOf(image).slice(0, writes)) apply(next, w);
    return next;
  }

  /** An empty file system. */
  formatted(): Image {
    this.#formatted ??= this.#made('formatted', this.#sectors, () => {});
    return this.#formatted;
  }

  /** A file system whose one file leaves so many blocks free. It is a small one: more of that file would show no more. */
  full(free: number): Image {
    let found = this.#full.get(free);
    if (found === undefined) {
      found = this.#made(`full.${free}`, this.#fullSectors, (boot) => fill(boot, free));
      this.#full.set(free, found);
    }
    return found;
  }

  #made(name: string, sectors: number, prepare: (boot: Boot) => void): Image {
    const blank = new Image(new Medium('blank', new Uint8Array(sectors * sectorBytes)));
    const boot = new Boot(this.store, blank);
    boot.recover();
    prepare(boot);
    boot.halt();
    return new Image(new Medium(name, blank.bytes()));
  }

  #outcome(image: Image): Outcome {
    const key = `${image.medium.name} ${image.key}`;
    const known = this.#outcomes.get(key);
    if (known !== undefined) return known;
    this.images++;
    const made = examine(this.store, image, { again: image.lot % againEvery === 0 });
    if (this.#outcomes.size >= outcomesMax)
      for (const old of this.#outcomes.keys()) {
        this.#outcomes.delete(old);
        if (this.#outcomes.size < outcomesMax / 2) break;
      }
    this.#outcomes.set(key, made);
    return made;
  }

  #expectation(r: Recording, moment: Moment): Expectation {
    let all = this.#expectations.get(r);
    if (all === undefined) {
      all = new Map();
      this.#expectations.set(r, all);
    }
    const signature = signatureOf(r.model.history, moment);
    let found = all.get(signature);
    if (found === undefined) {
      found = new Expectation(r.model.history, this.store.promises, moment);
      all.set(signature, found);
    }
    return found;
  }

  /**
   * Of a disk that lies about its bytes less can be asked: the kernel must go on, and what is wrong must not be taken for
   * right. What has a spare must be whole. Of other structures an earlier state may come back, since the damaged end of a
   * log looks like its end.
   */
  #judgeDamaged(r: Recording, spec: StateSpec, { tree, violations }: Outcome): readonly Violation[] {
    const always = violations.filter((v) => v.kind === 'panic' || v.kind === 'hang');
    if (always.length > 0) return always;
    if (spec.spare === true)
      return tree === null ? violations : this.#expectation(r, spec.moment).judge(tree, r.nodes);
    if (this.store.promises.damage === 'ends' || tree === null || tree.unreadable.length > 0) return [];
    return new Expectation(r.model.history, this.store.promises, spec.moment, 'nothing')
      .judge(tree, r.nodes)
      .filter((v) => v.kind !== 'content')
      .map((v) => ({ kind: 'undetected', text: `${spec.what ?? 'damage'}: ${v.text}` }));
  }
}

const withFailedRead = (v: Violation): Violation => ({ ...v, text: `with a failed read: ${v.text}` });

export function flip(image: Image, sector: number, byte: number, bit: number): void {
  const bytes = image.read(sector, 1).slice();
  bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit);
  image.put(sector, image.medium.add(sector, bytes));
}

/** Fills the disk with one file, and gives some blocks back. */
function fill(boot: Boot, free: number): void {
  const { storage } = boot;
  const file = boot.run(
    storage.create(storage.root, fillerName, { type: 'file', mode: 0o600, uid: 0, gid: 0 }),
  );
  const block = new Uint8Array(storage.blockBytes).fill(0x66);
  let blocks = 0;
  try {
    for (; ; blocks++) {
      if (blocks * block.length > boot.disk.sectors * sectorBytes)
        throw new Panic('broken', 'it takes more than the disk holds');
      boot.run(storage.write(file, blocks * block.length, block, 'delayed'));
    }
  } catch (e) {
    if (!isKernelError(e, 'noSpace')) throw e;
  }
  boot.run(storage.truncate(file, Math.max(0, blocks - free) * block.length));
  boot.run(storage.sync());
}
