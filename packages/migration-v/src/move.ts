/**
 * One program on its way to another host (Theimer, Lantz and Cheriton 1985). It is copied while it runs, then what it has
 * written meanwhile, until that is little or does not get less; only for the rest does it stand still.
 *
 *   step          here                                      there                        if it fails
 *   shelter                                                 a space like this one        destroy that
 *   pre-copy      read pages, note what is written          write them                   destroy that
 *   write back    dirty pages of its files, to their servers                             destroy that
 *   freeze        every process of the program                                           thaw, destroy that
 *   write back    what became dirty since                                                thaw, destroy that
 *   copy the rest read what was written since               write it                     thaw, destroy that
 *   hand over     process by process, with its messages     they are installed, frozen   what is still here is thawed
 *   hand over     file by file                              they are attached            the program has them fetched
 *   adopt         the program manager forgets it            the program manager has it
 *   thaw                                                    every process
 *   clean up      destroy the space that is left
 *
 * Nothing stays behind: who knows the program by its numbers finds it by asking for them.
 */
import { type Engine, ms, sleep, type Task, tasks } from '@backplane/engine';
import { type EntityId, isKernelError, segmentBytesMax } from '@backplane/slots';
import type { HostServers } from './host-servers.ts';

/** One of the two hosts. */
export type Side = Pick<
  HostServers,
  | 'program'
  | 'adopt'
  | 'release'
  | 'createSpace'
  | 'destroySpace'
  | 'regions'
  | 'bind'
  | 'written'
  | 'read'
  | 'write'
  | 'pageServer'
  | 'writeBackFiles'
  | 'handOverFiles'
  | 'team'
  | 'processServer'
  | 'freeze'
  | 'unfreeze'
  | 'depart'
>;

export interface Limits {
  /** Rounds of copying while it runs, at most. */
  readonly roundsMax: number;
  /** With so few pages left it is frozen. */
  readonly pagesLeft: number;
}

export interface Moved {
  readonly rounds: number;
  readonly pagesBefore: number;
  readonly pagesFrozen: number;
  readonly frozenNs: number;
}

/** Between two tries to hand over a process in the middle of a transfer of bytes. */
const againNs = /* @__PURE__ */ ms(10);
const triesMax = 200;

export class ProgramMove {
  static {
    tasks(ProgramMove);
  }

  readonly #engine: Engine;
  readonly #root: EntityId;
  readonly #here: Side;
  readonly #there: Side;
  readonly #limits: Limits;
  /** The spaces, and the processes that are frozen here. */
  #from = 0;
  #to = 0;
  #pageBytes = 0;
  #frozen: readonly EntityId[] = [];
  /** Whose pages its files are read and written in; null: nobody's. */
  #files: { readonly from: EntityId; readonly to: EntityId } | null = null;

  constructor(engine: Engine, root: EntityId, here: Side, there: Side, limits: Limits) {
    this.#engine = engine;
    this.#root = root;
    this.#here = here;
    this.#there = there;
    this.#limits = limits;
  }

  /** @throws KernelError what failed; then the program runs on where it was */
  *run(): Task<Moved> {
    const program = yield* this.#here.program(this.#root);
    this.#from = program.space;
    try {
      yield* this.#shelter(program.name);
      const before = yield* this.#copyWhileItRuns();
      yield* this.#writeBack(yield* this.#here.team(this.#from));
      const frozenAtNs = this.#engine.nowNs;
      yield* this.#freeze();
      yield* this.#writeBack(this.#frozen);
      const since = yield* this.#here.written(this.#from, 2);
      const rest = [...new Set([...before.left, ...since])].sort((a, b) => a - b);
      yield* this.#copy(rest);
      yield* this.#handOver();
      yield* this.#handOverFiles();
      yield* this.#there.adopt(this.#root, this.#to, program.level, program.name);
      yield* this.#here.release(this.#root);
      for (const process of this.#frozen) yield* this.#there.unfreeze(process);
      const frozenNs = this.#engine.nowNs - frozenAtNs;
      yield* this.#here.destroySpace(this.#from);
      return { rounds: before.rounds, pagesBefore: before.pages, pagesFrozen: rest.length, frozenNs };
    } catch (e) {
      if (!isKernelError(e)) throw e;
      for (const process of this.#frozen) yield* this.#here.unfreeze(process);
      if (this.#to !== 0) yield* this.#there.destroySpace(this.#to);
      throw e;
    }
  }

  *#shelter(name: string): Task<void> {
    const { regions, pageBytes } = yield* this.#here.regions(this.#from);
    this.#pageBytes = pageBytes;
    const { space } = yield* this.#there.createSpace(name);
    this.#to = space;
    for (const region of regions) yield* this.#there.bind(space, region);
    const from = yield* this.#here.pageServer();
    const to = from === null ? null : yield* this.#there.pageServer();
    this.#files = from === null || to === null ? null : { from, to };
  }

  *#writeBack(owners: readonly EntityId[]): Task<void> {
    if (this.#files === null) return;
    for (const owner of owners) yield* this.#here.writeBackFiles(this.#files.from, owner);
  }

  *#handOverFiles(): Task<void> {
    if (this.#files === null) return;
    const { from, to } = this.#files;
    for (const owner of this.#frozen) yield* this.#here.handOverFiles(from, owner, to);
  }

  /** Until what was written meanwhile is little, or not less than the time before. */
  *#copyWhileItRuns(): Task<{
    readonly rounds: number;
    readonly pages: number;
    readonly left: readonly number[];
  }> {
    let pages = yield* this.#here.written(this.#from, 0);
    let copied = 0;
    let rounds = 0;
    while (pages.length > this.#limits.pagesLeft && rounds < this.#limits.roundsMax) {
      yield* this.#copy(pages);
      copied += pages.length;
      rounds++;
      const since = yield* this.#here.written(this.#from, 1);
      const shrinks = since.length < pages.length;
      pages = since;
      if (!shrinks) break;
    }
    return { rounds, pages: copied, left: pages };
  }

  /** Neighbouring pages go together, as far as one message holds. */
  *#copy(pages: readonly number[]): Task<void> {
    const most = Math.max(1, Math.floor(segmentBytesMax / this.#pageBytes));
    for (let i = 0; i < pages.length; ) {
      const first = pages[i] ?? 0;
      let count = 1;
      while (count < most && pages[i + count] === first + count) count++;
      const address = first * this.#pageBytes;
      const content = yield* this.#here.read(this.#from, address, count * this.#pageBytes);
      yield* this.#there.write(this.#to, address, content);
      i += count;
    }
  }

  /** Processes may be made while others are frozen: until there is none that is not. */
  *#freeze(): Task<void> {
    const frozen = new Set<EntityId>();
    for (;;) {
      const fresh = (yield* this.#here.team(this.#from)).filter((p) => !frozen.has(p));
      if (fresh.length === 0) return;
      for (const process of fresh) {
        yield* this.#here.freeze(process);
        frozen.add(process);
        this.#frozen = [...frozen];
      }
    }
  }

  *#handOver(): Task<void> {
    const server = yield* this.#there.processServer();
    for (const process of this.#frozen) yield* this.#depart(process, server);
  }

  *#depart(process: EntityId, server: EntityId): Task<void> {
    for (let tries = 1; ; tries++) {
      try {
        yield* this.#here.depart(process, server, this.#to);
        return;
      } catch (e) {
        if (!isKernelError(e, 'busy') || tries === triesMax) throw e;
        yield* sleep(againNs);
      }
    }
  }
}
