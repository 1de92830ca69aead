/** The memory of a process that awaits a reply, as others may use it: the checks of every move, wherever the mover is. */
import { currentThread, type Task, task } from '@backplane/engine';
import { type AddressSpace, type EntityId, isGroup, isKernelError, ReplyCode } from '@backplane/slots';
import { allows, isWord, READ, type Right, unnumbered, WRITE } from './grant.ts';
import type { Process } from './process.ts';

/** Who moves, and for which request: the process that has it, and the number of the grant in it. */
export interface Mover {
  readonly id: EntityId;
  readonly number: number;
  /** If it is on this host. */
  readonly process: Process | null;
}

/** Is it the send that the granter is in? */
export const matches = ({ grants }: Process, { number }: Mover): boolean =>
  number === grants || number === unnumbered;

/**
 * A move under way: as long as it is, the granter does not go on. It ends when it is done, or with the mover, whose
 * thread may vanish without cleaning up.
 */
export class Move {
  readonly #granter: Process;
  #over = false;

  constructor(granter: Process) {
    this.#granter = granter;
    granter.moves++;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#granter.moves--;
    if (this.#granter.moves === 0) this.#granter.movesOver.wakeAll();
  }
}

/** Moves at the granter. Returns the bytes, or a `ReplyCode`. */
export const readGranted: (
  granter: Process,
  mover: Mover,
  address: number,
  bytes: number,
) => Task<Uint8Array | number> = task(function* readGranted(granter, mover, address, bytes): Task<
  Uint8Array | number
> {
  if (granter.frozen) yield* thawed(granter, mover);
  const space = usable(granter, mover, READ, address, bytes);
  if (space === null) return ReplyCode.noPermission;
  const move = begin(granter, mover);
  try {
    return yield* readOut(space, address, bytes);
  } finally {
    end(move, mover);
  }
});

export const writeGranted: (
  granter: Process,
  mover: Mover,
  address: number,
  bytes: Uint8Array,
) => Task<number> = task(function* writeGranted(granter, mover, address, bytes): Task<number> {
  if (granter.frozen) yield* thawed(granter, mover);
  const space = usable(granter, mover, WRITE, address, bytes.length);
  if (space === null) return ReplyCode.noPermission;
  const move = begin(granter, mover);
  try {
    return yield* writeInto(space, address, bytes);
  } finally {
    end(move, mover);
  }
});

function begin(granter: Process, { process }: Mover): Move {
  const move = new Move(granter);
  process?.moving.add(move);
  return move;
}

function end(move: Move, { process }: Mover): void {
  process?.moving.delete(move);
  move.end();
}

/** The memory of a frozen process is left alone. */
const thawed: (granter: Process, mover: Mover) => Task<void> = task(function* thawed(
  granter,
  { process },
): Task<void> {
  const thread = currentThread();
  process?.elsewhere.add(thread);
  try {
    while (granter.frozen) yield* granter.thaw.pass();
  } finally {
    process?.elsewhere.delete(thread);
  }
});

/** The granter awaits the mover's reply to this request, the range lies within the grant, the right was given. */
function usable(
  granter: Process,
  mover: Mover,
  right: Right,
  address: number,
  bytes: number,
): AddressSpace | null {
  const { dead, awaits, grant, space } = granter;
  if (dead || awaits === null || grant === null) return null;
  // Of a group, only the mover's own host knows that it is a member and has the request.
  if (awaits !== mover.id && !isGroup(awaits)) return null;
  if (!matches(granter, mover)) return null;
  return allows(grant, right, address, bytes) ? space : null;
}

/** Memory of a program: it may be anywhere, or nowhere. */
export const readOut: (space: AddressSpace, address: number, bytes: number) => Task<Uint8Array | number> =
  task(function* readOut(space, address, bytes): Task<Uint8Array | number> {
    if (!isWord(address)) return ReplyCode.noPermission;
    try {
      return yield* space.read(address, bytes);
    } catch (e) {
      return codeFor(e);
    }
  });

/** All pages first, so that a range that is only partly there stays as it is. */
export const writeInto: (space: AddressSpace, address: number, bytes: Uint8Array) => Task<number> = task(
  function* writeInto(space, address, bytes): Task<number> {
    if (!isWord(address)) return ReplyCode.noPermission;
    const { pageBytes } = space;
    const first = Math.floor(address / pageBytes);
    const pages = bytes.length === 0 ? 0 : Math.floor((address + bytes.length - 1) / pageBytes) - first + 1;
    try {
      yield* space.touch(first, pages, 'write');
      yield* space.write(address, bytes);
      return ReplyCode.ok;
    } catch (e) {
      return codeFor(e);
    }
  },
);

/** No such memory is lasting; no frame or a pager that fails may pass. */
function codeFor(e: unknown): number {
  if (!isKernelError(e)) throw e;
  return isKernelError(e, 'badArgument') || isKernelError(e, 'permission')
    ? ReplyCode.noPermission
    : ReplyCode.retry;
}
