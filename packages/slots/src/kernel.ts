/**
 * A kernel: a set of boards by slot. `kernel.with({ fileCache: nfsCache() })` is the swap: a board in the wrong slot
 * does not compile; what is missing or cyclic is found at composition, before virtual time starts.
 */
import type { Board } from './component.ts';
import type { ManySlot, OneSlot } from './slots.ts';

/** A slot of many takes a list (instances are numbered) or a record by instance name. */
export type KernelSpec = { readonly [S in OneSlot]?: Board<S> } & {
  readonly [S in ManySlot]?: Board<S> | readonly Board<S>[] | { readonly [instance: string]: Board<S> };
};

export interface Kernel {
  readonly name: string;
  /** Instances in order of declaration: `transport`, `disk.0`, `storage:/src`. */
  readonly boards: ReadonlyMap<string, Board>;
  /** The same kernel with some slots filled otherwise. A slot of many is replaced as a whole. */
  with(changes: KernelSpec): Kernel;
  /** The same kernel with nothing in a slot. */
  without(slot: OneSlot | ManySlot): Kernel;
}

export function defineKernel(name: string, spec: KernelSpec): Kernel {
  return kernelOf(name, flatten(spec));
}

function kernelOf(name: string, boards: ReadonlyMap<string, Board>): Kernel {
  const drop = (slots: ReadonlySet<string>): Map<string, Board> =>
    new Map([...boards].filter(([instance]) => !slots.has(slotOfInstance(instance))));
  return Object.freeze({
    name,
    boards,
    with: (changes: KernelSpec) =>
      kernelOf(name, new Map([...drop(new Set(Object.keys(changes))), ...flatten(changes)])),
    without: (slot: OneSlot | ManySlot) => kernelOf(name, drop(new Set([slot]))),
  });
}

/** The slot in the name of an instance: what stands before the first "." or ":". */
export function slotOfInstance(instance: string): string {
  const end = instance.search(/[.:]/);
  return end < 0 ? instance : instance.slice(0, end);
}

function flatten(spec: KernelSpec): Map<string, Board> {
  const boards = new Map<string, Board>();
  for (const [slot, filling] of Object.entries(spec) as [
    string,
    Board | readonly Board[] | Readonly<Record<string, Board>> | undefined,
  ][]) {
    if (filling === undefined) continue;
    if (isBoard(filling)) boards.set(slot, filling);
    else if (Array.isArray(filling))
      for (const [i, board] of (filling as readonly Board[]).entries()) boards.set(`${slot}.${i}`, board);
    else
      for (const [instance, board] of Object.entries(filling))
        boards.set(instance.startsWith('/') ? `${slot}:${instance}` : `${slot}.${instance}`, board);
  }
  return boards;
}

const isBoard = (x: object): x is Board => 'slot' in x && 'create' in x;
