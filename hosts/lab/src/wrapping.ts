/**
 * Settings in a slot of many whose boards may be made of others there: an array of drives, memory before a drive.
 *
 *   the setting's board   an instance of the slot       what happens
 *   wraps none            wraps none                    is exchanged
 *                         wraps others                  stays: what it is made of is exchanged
 *   wraps others          is wrapped, or is named by    stays
 *                         the setting's option `of`
 *                         is of the same component      is exchanged, and keeps what it is made of
 *                         any other                     gives its place to the new board, and is what that is made of:
 *                                                       as many of it as the new board's option `of` has names
 *
 * So nobody who names a disk has to learn another name when something is put before it.
 */
import { type Board, slotOfInstance } from '@backplane/slots';
import { copiesWrapping, noInstance, wrapsNobody } from './errors.ts';
import type { BoardOptions } from './setting-options.ts';

type Boards = ReadonlyMap<string, Board>;

/** A setting as far as it matters here. */
interface Filling {
  /** As an error names it. */
  readonly place: string;
  readonly slot: string;
  /** The component's name. */
  readonly component: string;
  readonly options: BoardOptions;
  /** @param before whose place it is to take */
  make(before: Board | null, options: BoardOptions): Board;
}

/** The instances of its own slot that a board is made of. */
const partsOf = (board: Board | undefined, slot: string): readonly string[] =>
  board?.wraps.filter((instance) => slotOfInstance(instance) === slot) ?? [];

const isMadeOf = (board: Board, slot: string): boolean => partsOf(board, slot).length > 0;

/** The instances of the slot, of which there is one or more, as the setting leaves them. */
export function filled(before: Boards, f: Filling): Boards {
  const [first] = before.values();
  if (!isMadeOf(f.make(first ?? null, f.options), f.slot)) return exchanged(before, f);
  const named = namesIn(f.options['of']);
  const taken = new Set([...before.values()].flatMap((b) => partsOf(b, f.slot)));
  let after = before;
  for (const instance of before.keys())
    if (!taken.has(instance) && !named.includes(instance)) after = standingBefore(after, instance, f);
  return after;
}

/** In a slot that is empty: what wraps others has nobody there. */
export function alone(f: Filling): Boards {
  const board = f.make(null, f.options);
  if (isMadeOf(board, f.slot)) throw wrapsNobody(f.place, f.slot);
  return new Map([[`${f.slot}.0`, board]]);
}

function exchanged(before: Boards, f: Filling): Boards {
  return new Map(
    [...before].map(([instance, board]) => [
      instance,
      isMadeOf(board, f.slot) ? board : f.make(board, f.options),
    ]),
  );
}

/** With the setting's board in the place of an instance. */
function standingBefore(before: Boards, instance: string, f: Filling): Boards {
  const old = before.get(instance);
  if (old === undefined) return before;
  const after = new Map(before);
  /** What the board of the same component that stands there now is made of. */
  const kept = new Map<string, Board>();
  if (old.name === f.component)
    for (const part of partsOf(old, f.slot)) {
      const board = before.get(part);
      if (board !== undefined) kept.set(part, board);
      after.delete(part);
    }
  const [displaced = old] = kept.values();
  const board = kept.size > 0 || 'of' in f.options ? f.make(old, f.options) : withFreeNames(after, old, f);
  after.set(instance, board);
  const wanted = partsOf(board, f.slot).filter((part) => !after.has(part));
  const copies = wanted.filter((part) => !kept.has(part)).length + (kept.size > 0 ? 1 : 0);
  if (copies > 1 && isMadeOf(displaced, f.slot)) throw copiesWrapping(f.place, displaced.name);
  for (const part of wanted) {
    // A board takes any text for a name; "disk.1+disk.2" where it wants one is a mistake.
    if (!/^\w+\.\w+$/.test(part)) throw noInstance(f.place, f.slot, part);
    after.set(part, kept.get(part) ?? displaced);
  }
  return after;
}

/** Made of as many instances as by default, with the first numbers that nobody has. */
function withFreeNames(boards: Boards, old: Board, f: Filling): Board {
  const board = f.make(old, f.options);
  if (!('of' in board.options)) return board;
  const parts = partsOf(board, f.slot).length;
  const names: string[] = [];
  for (let i = 1; names.length < parts; i++) if (!boards.has(`${f.slot}.${i}`)) names.push(`${f.slot}.${i}`);
  const of = typeof board.options['of'] === 'string' ? names[0] : names;
  return f.make(old, { ...f.options, of });
}

const namesIn = (of: unknown): readonly unknown[] => (Array.isArray(of) ? of : [of]);
