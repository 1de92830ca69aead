/** The contract of the slot `memoryPolicy`, clause by clause. */
import { ms, type RandomStream, sleep, type Task } from '@backplane/engine';
import type { FrameHolder, KernelSpec, Memory, MemoryPolicy, PageFrame, Undo } from '@backplane/slots';
import { type Check, holds, same, within } from '../check.ts';
import { eachCourse } from '../course.ts';
import { alone, machineType } from '../neighbours.ts';
import { Rig } from '../rig.ts';

export interface MemoryPolicyUnderTest {
  /** The policy, and what it needs besides page frames. */
  readonly boards: KernelSpec;
  /** Does it take pages from one holder for another? */
  readonly trades: boolean;
  /** How many courses of claims are drawn. Default 10. */
  readonly courses?: number;
}

const frames = 60;

/** Pages with the times of their last use. */
class Holder implements FrameHolder {
  readonly name: string;
  readonly pages: { readonly frame: PageFrame; usedNs: number }[] = [];
  asked = 0;
  /** It finds each time that it cannot. */
  refuses = false;
  readonly #memory: Memory;
  undo: Undo = () => {};

  constructor(name: string, memory: Memory) {
    this.name = name;
    this.#memory = memory;
  }

  add(frame: PageFrame | undefined, usedNs: number): boolean {
    if (frame === undefined) return false;
    this.pages.push({ frame, usedNs });
    return true;
  }

  /** Gives a page back of its own accord. */
  drop(): void {
    const page = this.pages.shift();
    if (page !== undefined) this.#memory.release(page.frame);
  }

  oldestUseNs(): number | 'never' {
    return this.pages.length === 0 ? 'never' : Math.min(...this.pages.map((p) => p.usedNs));
  }

  *giveUp(): Task<boolean> {
    this.asked++;
    yield* sleep(ms(3));
    if (this.refuses) return false;
    const oldest = this.oldestUseNs();
    const at = this.pages.findIndex((p) => p.usedNs === oldest);
    const [page] = at < 0 ? [] : this.pages.splice(at, 1);
    if (page === undefined) return false;
    this.#memory.release(page.frame);
    return true;
  }

  frames(): number {
    return this.pages.length;
  }
}

class World {
  readonly rig: Rig;
  readonly policy: MemoryPolicy;
  readonly memory: Memory;
  /** By the names that file caches and virtual memories have. */
  readonly files: Holder;
  readonly vm: Holder;

  constructor({ boards }: MemoryPolicyUnderTest, seed = 1) {
    this.rig = new Rig({ host: alone().with(boards) }, { seed, type: machineType(frames) });
    this.policy = this.rig.board('host', 'memoryPolicy');
    this.memory = this.rig.board('host', 'memory');
    this.files = new Holder('files', this.memory);
    this.vm = new Holder('vm', this.memory);
    for (const holder of this.holders) holder.undo = this.policy.register(holder);
  }

  get holders(): readonly Holder[] {
    return [this.files, this.vm];
  }

  /** What can be had at once. Returns how many frames. */
  fill(holder: Holder, usedNs: number): number {
    while (holder.add(this.policy.tryClaim(holder), usedNs));
    return holder.frames();
  }

  claim(holder: Holder, usedNs: number): boolean {
    return this.rig.on('host', () => this.claiming(holder, usedNs));
  }

  *claiming(holder: Holder, usedNs: number): Task<boolean> {
    const { rig, policy } = this;
    const recycles = policy.recycles?.(holder);
    const startNs = rig.nowNs;
    const frame = yield* policy.claim(holder);
    const refused = frame === undefined && rig.nowNs === startNs;
    same('recycles, as claim then says at once', recycles ?? refused, refused);
    return holder.add(frame, usedNs);
  }

  /** The memory's own books say what the holders say. */
  audit(): void {
    const numbers = new Set<number>();
    for (const holder of this.holders) {
      same(`frames of ${holder.name}`, this.memory.occupiedBy(holder.name), holder.frames());
      for (const { frame } of holder.pages) numbers.add(frame.number);
    }
    same('different frames', numbers.size, this.files.frames() + this.vm.frames());
    same('free', this.memory.freeCount, frames - numbers.size);
  }
}

const always = (under: MemoryPolicyUnderTest): readonly Check[] => [
  {
    name: 'tryClaim gives free frames, each one once, in the name of the holder; together the holders can have all of them',
    run: () => {
      const w = new World(under);
      holds('files get some', w.fill(w.files, 0) > 0);
      holds('vm gets some', w.fill(w.vm, 0) > 0 || !under.trades || w.memory.freeCount === 0);
      same('free', w.memory.freeCount, 0);
      w.audit();
    },
  },
  {
    name: 'tryClaim takes nothing from anybody',
    run: () => {
      const w = new World(under);
      w.fill(w.files, 0);
      w.fill(w.vm, 0);
      for (const holder of w.holders) holds('no frame', w.policy.tryClaim(holder) === undefined);
      same('asked', [w.files.asked, w.vm.asked], [0, 0]);
    },
  },
  {
    name: 'claim gives a free frame where tryClaim does',
    run: () => {
      const w = new World(under);
      const startNs = w.rig.nowNs;
      for (const holder of w.holders) holds(`for ${holder.name}`, w.claim(holder, 0));
      same('nanoseconds', w.rig.nowNs - startNs, 0);
      w.audit();
    },
  },
  {
    name: 'claim is undefined when nobody else has a page that could go, and does not wait',
    run: () => {
      const w = new World(under);
      w.fill(w.vm, 0);
      w.fill(w.files, 0);
      // Somebody who is no holder has the rest.
      while (w.memory.freeCount > 0) w.memory.allocate('check');
      while (w.files.frames() > 0) w.files.pages.pop();
      const startNs = w.rig.nowNs;
      same('vm', w.claim(w.vm, 5), false);
      same('nanoseconds', w.rig.nowNs - startNs, 0);
    },
  },
  {
    name: 'a frame that was given back can be had again',
    run: () => {
      const w = new World(under);
      const had = w.fill(w.files, 0);
      for (let i = 0; i < 3; i++) w.files.drop();
      same('frames', w.fill(w.files, 0), had);
      w.audit();
    },
  },
  {
    name: 'random claims, uses and returns of several threads leave every frame with one holder or free, and recycles, if it is there, foretells each claim',
    run: () =>
      eachCourse(under.courses ?? 10, (seed) => {
        const w = new World(under, seed);
        w.rig.drive(function* () {
          const random = w.rig.cluster.engine.random('course of a check');
          const threads = [w.files, w.vm, w.files, w.vm].map((holder) =>
            w.rig.spawn('host', live(w, holder, random)),
          );
          for (const t of threads) yield* t.join();
        });
        w.audit();
      }),
  },
];

function* live(w: World, holder: Holder, random: RandomStream): Task<void> {
  for (let i = 0; i < 80; i++) {
    if (random.chance(0.7)) {
      if (!(yield* w.claiming(holder, w.rig.nowNs)) && holder.frames() > 0 && random.chance(0.5))
        holder.drop();
    } else if (random.chance(0.3)) holder.drop();
    else {
      const page = holder.pages[random.below(Math.max(1, holder.frames()))];
      if (page !== undefined) page.usedNs = w.rig.nowNs;
    }
    within('frames of both', w.files.frames() + w.vm.frames(), 0, frames);
    yield* sleep(random.below(ms(4)));
  }
}

const trading = (under: MemoryPolicyUnderTest): readonly Check[] => [
  {
    name: 'trades: the holder of the oldest page gives it up for who asks, and the frame changes hands',
    run: () => {
      const w = new World(under);
      for (let i = 0; i < frames; i++) w.vm.add(w.policy.tryClaim(w.vm), 1000 + i);
      w.rig.after(ms(1000));
      for (let i = 1; i <= 5; i++) {
        holds('a frame', w.claim(w.files, w.rig.nowNs));
        same('asked of vm', w.vm.asked, i);
      }
      same('oldest of vm', w.vm.oldestUseNs(), 1005);
      same('frames', [w.files.frames(), w.vm.frames()], [5, frames - 5]);
      w.audit();
    },
  },
  {
    name: 'trades: who has the oldest page himself is told to recycle it, and nobody is asked',
    run: () => {
      const w = new World(under);
      for (let i = 0; i < 20; i++) w.files.add(w.policy.tryClaim(w.files), 0);
      w.rig.after(ms(1000));
      while (w.vm.add(w.policy.tryClaim(w.vm), w.rig.nowNs));
      same('files', w.claim(w.files, w.rig.nowNs), false);
      same('asked', [w.files.asked, w.vm.asked], [0, 0]);
    },
  },
  {
    name: 'trades: a holder that turns out to be unable to give ends the claim without a frame, not in a loop',
    run: () => {
      const w = new World(under);
      while (w.vm.add(w.policy.tryClaim(w.vm), 0));
      w.vm.refuses = true;
      same('files', w.claim(w.files, 5), false);
      within('asked', w.vm.asked, 1, 10);
      w.vm.refuses = false;
      same('later', w.claim(w.files, 5), true);
    },
  },
  {
    name: 'trades: a holder that was taken back is not asked; taking it back again does nothing',
    run: () => {
      const w = new World(under);
      while (w.vm.add(w.policy.tryClaim(w.vm), 0));
      const again = w.policy.register(w.vm);
      w.vm.undo();
      w.vm.undo();
      same('registered a second time', w.claim(w.files, 5), true);
      again();
      same('no more', w.claim(w.files, 0), false);
      same('asked', w.vm.asked, 1);
    },
  },
];

const untraded = (under: MemoryPolicyUnderTest): readonly Check[] => [
  {
    name: 'no trades: nobody is asked for a frame, however old his pages are',
    run: () => {
      const w = new World(under);
      w.fill(w.files, 0);
      w.fill(w.vm, 0);
      w.rig.after(ms(1000));
      for (const holder of w.holders) same(holder.name, w.claim(holder, w.rig.nowNs), false);
      same('asked', [w.files.asked, w.vm.asked], [0, 0]);
      w.audit();
    },
  },
  {
    name: 'no trades: what a holder can have does not depend on who came first',
    run: () => {
      const had = (order: (w: World) => readonly Holder[]): number[] => {
        const w = new World(under);
        for (const holder of order(w)) w.fill(holder, 0);
        return w.holders.map((h) => h.frames());
      };
      same(
        'frames',
        had((w) => [w.vm, w.files]),
        had((w) => [w.files, w.vm]),
      );
    },
  },
];

export const conformsToMemoryPolicy = (under: MemoryPolicyUnderTest): readonly Check[] => [
  ...always(under),
  ...(under.trades ? trading(under) : untraded(under)),
];
