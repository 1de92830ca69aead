/** The same operations on the storage under test and on the one in memory: every answer must be the same. */
import type { RandomStream, Task } from '@backplane/engine';
import {
  type FileId,
  fileTypes,
  isKernelError,
  type NewFile,
  type Plain,
  type Storage,
} from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import type { Bounds } from './under-test.ts';
import { World } from './world.ts';

/** One object as both know it. */
interface Twin {
  readonly tried: FileId;
  readonly model: FileId;
}

const names = ['a', 'b', 'c', 'Ü', 'long'.repeat(60), '.', '..', 'n'.repeat(256), 'x/y', ''];

class Twins {
  readonly #tried: Storage;
  readonly #model: Storage;
  readonly #random: RandomStream;
  #known: Twin[];

  constructor(world: World) {
    this.#tried = world.storage;
    this.#model = world.model;
    this.#random = world.rig.cluster.engine.random('operations of a check');
    this.#known = [{ tried: this.#tried.root, model: this.#model.root }];
  }

  *step(): Task<void> {
    const r = this.#random;
    const [a, b] = [r.pick(this.#known), r.pick(this.#known)];
    const [name, other] = [r.pick(names), r.pick(names)];
    switch (r.below(10)) {
      case 0:
      case 1: {
        const type = r.chance(0.5) ? r.pick(['file', 'directory'] as const) : r.pick(fileTypes);
        const file: NewFile = { type, mode: r.below(0o10000), uid: r.below(9), gid: r.below(9) };
        const made = yield* this.#both(
          `create "${name}", a ${type}`,
          (s, f) => s.create(f(a), name, file),
          nothing,
        );
        if (made !== undefined) this.#known.push(made);
        return;
      }
      case 2:
      case 3: {
        const [at, bytes] = [r.below(40_000), pattern(1 + r.below(9000), r.below(99))];
        const when = r.pick(['delayed', 'soon', 'through'] as const);
        yield* this.#both(
          `write ${bytes.length} at ${at}`,
          (s, f) => s.write(f(a), at, bytes, when),
          nothing,
        );
        return;
      }
      case 4: {
        const size = r.below(50_000);
        yield* this.#both(`truncate to ${size}`, (s, f) => s.truncate(f(a), size), nothing);
        return;
      }
      case 5: {
        const [at, count] = [r.below(50_000), r.below(20_000)];
        yield* this.#both(`read ${count} at ${at}`, (s, f) => readFile(s, f(a), at, count), digest);
        return;
      }
      case 6:
        yield* this.#both(`link "${name}"`, (s, f) => s.link(f(a), name, f(b)), nothing);
        return;
      case 7: {
        const directory = r.chance(0.4);
        const gone = yield* this.#both(
          `unlink "${name}", ${directory ? 'a directory' : 'no directory'}`,
          (s, f) => s.unlink(f(a), name, { directory }),
          ({ linksLeft }) => linksLeft,
        );
        if (gone?.model.linksLeft === 0) yield* this.#reclaim(gone.model.file);
        return;
      }
      case 8: {
        const moved = yield* this.#both(
          `rename "${name}" to "${other}"`,
          (s, f) => s.rename(f(a), name, f(b), other),
          ({ replaced }) => replaced?.linksLeft ?? null,
        );
        const replaced = moved?.model.replaced;
        if (replaced?.linksLeft === 0) yield* this.#reclaim(replaced.file);
        return;
      }
      default: {
        const change = { mode: r.below(0o10000), version: r.below(99) };
        yield* this.#both('setAttributes', (s, f) => s.setAttributes(f(a), change), nothing);
        yield* this.#both(
          `lookup "${name}"`,
          (s, f) => s.lookup(f(a), name),
          (f) => f !== undefined,
        );
      }
    }
  }

  /** Names, attributes and bytes of everything that both know. */
  *compare(): Task<void> {
    for (const at of this.#known) {
      const found = yield* this.#both(
        'attributes',
        (s, f) => s.attributes(f(at)),
        ({ type, sizeBytes, links, mode, uid, gid, version }) =>
          [type, type === 'directory' ? 0 : sizeBytes, links, mode, uid, gid, version] as const,
      );
      if (found?.model.type === 'directory')
        yield* this.#both(
          'entries',
          (s, f) => s.entries(f(at)),
          (all) => all.map((e) => e.name),
        );
      else yield* this.#both('bytes', (s, f) => s.read(f(at), 0, 100_000), digest);
    }
  }

  *#reclaim(file: FileId): Task<void> {
    const gone = this.#known.find((k) => k.model.number === file.number);
    if (gone === undefined) return;
    yield* this.#both('reclaim', (s, f) => s.reclaim(f(gone)), nothing);
    this.#known = this.#known.filter((k) => k !== gone);
  }

  /** What both brought; undefined where both failed, in the same way. */
  *#both<T>(
    what: string,
    operation: (s: Storage, of: (t: Twin) => FileId) => Task<T>,
    show: (value: T) => Plain,
  ): Task<{ readonly tried: T; readonly model: T } | undefined> {
    const tried = yield* outcome(
      operation(this.#tried, (t) => t.tried),
      show,
    );
    const model = yield* outcome(
      operation(this.#model, (t) => t.model),
      show,
    );
    same(what, tried.shown, model.shown);
    return 'value' in tried && 'value' in model ? { tried: tried.value, model: model.value } : undefined;
  }
}

const nothing = (): null => null;

/** Directories are read by entries: what their bytes are is the storage's own affair. */
function* readFile(s: Storage, f: FileId, at: number, count: number): Task<Uint8Array> {
  return (yield* s.attributes(f)).type === 'directory' ? new Uint8Array(0) : yield* s.read(f, at, count);
}

function* outcome<T>(
  body: Task<T>,
  show: (value: T) => Plain,
): Task<{ readonly value: T; readonly shown: Plain } | { readonly shown: Plain }> {
  try {
    const value = yield* body;
    return { value, shown: ['ok', show(value)] };
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return { shown: [e.kind] };
  }
}

export const modelClauses = ({ boards, courses }: Bounds): readonly Check[] => [
  {
    name: 'random operations have the same answers as on a storage in memory',
    run: () =>
      eachCourse(courses, (seed) => {
        const world = new World(boards, seed);
        const twins = new Twins(world);
        world.run(function* () {
          for (let i = 0; i < 80; i++) yield* twins.step();
          yield* twins.compare();
        });
      }),
  },
];
