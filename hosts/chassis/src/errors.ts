/** Everything that can be wrong with a composition. Each text says where; each hint says what to do. */
import { BackplaneError, type Lifetime, nearest } from '@backplane/slots';
import type { Installed } from './description.ts';

/** Where a board stands: machine and instance. */
export interface At {
  readonly machine: string;
  readonly instance: string;
  readonly board: string;
}

const place = (at: At): string => `${at.board} in slot "${at.instance}" of machine "${at.machine}"`;

const fits = (slot: string, installed: readonly Installed[]): readonly string[] =>
  installed.filter((i) => i.slot === slot).map((i) => i.short);

const remedy = (slot: string, installed: readonly Installed[]): string => {
  const candidates = fits(slot, installed);
  return candidates.length > 0
    ? `Installed boards that fit: ${candidates.join(', ')}. Add one: --set ${slot}=${candidates[0]}`
    : `No installed board fits. Find one on npm by the keyword backplane-component, and install it: npm install backplane-${slot}-NAME`;
};

export const slotEmpty = (
  machine: string,
  path: readonly string[],
  installed: readonly Installed[],
): BackplaneError => {
  const slot = path.at(-1) ?? '';
  return new BackplaneError(
    'SLOT_EMPTY',
    { machine, slot, path, candidates: fits(slot, installed) },
    `Nothing fills the slot "${slot}" of machine "${machine}", which is needed: ${path.join(' needs ')}.`,
    remedy(slot, installed),
  );
};

export const capabilityMissing = (
  at: At,
  slot: string,
  capability: string,
  has: string,
  path: readonly string[],
  installed: readonly Installed[],
): BackplaneError =>
  new BackplaneError(
    'CAPABILITY_MISSING',
    { machine: at.machine, slot, capability, board: has, path },
    `${place(at)} needs a ${slot} that has "${capability}", but ${has} has not (${path.join(' needs ')}).`,
    remedy(
      slot,
      installed.filter((i) => i.name !== has),
    ),
  );

export const cycle = (machine: string, path: readonly string[]): BackplaneError =>
  new BackplaneError(
    'CYCLE',
    { machine, path },
    `The boards of machine "${machine}" need each other in a circle: ${path.join(' needs ')}.`,
    'One of them has to register with another instead of requiring it, or require it with "?".',
  );

export const unknownSlot = (at: At, slot: string, known: readonly string[]): BackplaneError => {
  const near = nearest(slot, known);
  return new BackplaneError(
    'UNKNOWN_SLOT',
    { machine: at.machine, instance: at.instance, slot, nearest: near ?? null },
    `There is no slot "${slot}", where machine "${at.machine}" has ${at.board}.`,
    near === undefined
      ? `Slots are ${known.join(', ')}; a package that adds one declares it with defineSlot.`
      : `Did you mean "${near}"?`,
  );
};

export const wrongSlot = (at: At, fitsIn: string): BackplaneError =>
  new BackplaneError(
    'WRONG_SLOT',
    { machine: at.machine, instance: at.instance, board: at.board, fitsIn },
    `${at.board} is a board for the slot "${fitsIn}", but machine "${at.machine}" has it in "${at.instance}".`,
    `Set it there: --set ${fitsIn}=...`,
  );

export const slotTaken = (at: At, slot: string, other: string): BackplaneError =>
  new BackplaneError(
    'SLOT_TAKEN',
    { machine: at.machine, slot, boards: [other, at.board] },
    `The slot "${slot}" of machine "${at.machine}" takes one board, but has ${other} and ${at.board}.`,
    'Take one of them out.',
  );

export const wrongContract = (
  at: At,
  slot: string,
  has: number,
  window: { readonly floor: number; readonly current: number },
): BackplaneError =>
  new BackplaneError(
    'WRONG_CONTRACT',
    {
      machine: at.machine,
      board: at.board,
      slot,
      contract: has,
      floor: window.floor,
      current: window.current,
    },
    `${place(at)} was written against version ${has} of the contract "${slot}"; this host serves versions ${window.floor} to ${window.current}.`,
    has > window.current ? 'Update @backplane/slots and the host.' : `Update ${at.board}.`,
  );

export const requiresRegistering = (at: At, slot: string): BackplaneError =>
  new BackplaneError(
    'REQUIRES_REGISTERING',
    { machine: at.machine, board: at.board, slot },
    `${place(at)} requires "${slot}", whose boards register with a switch and are never required.`,
    'Require "streams" and let it find the board by protocol or kind.',
  );

export const outlives = (at: At, slot: string, mine: Lifetime, its: Lifetime): BackplaneError =>
  new BackplaneError(
    'OUTLIVES',
    { machine: at.machine, board: at.board, slot, mine, its },
    `${place(at)} lives as long as its ${mine}, and cannot require "${slot}", which lives only as long as its ${its}.`,
    'Turn the dependency round: let the shorter-lived board register with the longer-lived one.',
  );

export const wrapsNothing = (at: At, instance: string, known: readonly string[]): BackplaneError => {
  const near = nearest(instance, known);
  return new BackplaneError(
    'WRAPS_NOTHING',
    { machine: at.machine, board: at.board, instance, nearest: near ?? null },
    `${place(at)} is to use "${instance}", which machine "${at.machine}" does not have.`,
    near === undefined ? `It has ${known.join(', ') || 'no such instances'}.` : `Did you mean "${near}"?`,
  );
};

export const wrappedTwice = (at: At, instance: string, other: string): BackplaneError =>
  new BackplaneError(
    'WRAPPED_TWICE',
    { machine: at.machine, board: at.board, instance, by: [other, at.instance] },
    `${place(at)} is to use "${instance}", which is in use by "${other}".`,
    "Give each its own: an instance that another one wraps is that one's alone.",
  );

export const protocolUnserved = (at: At, protocol: string, servedBy: readonly string[]): BackplaneError =>
  new BackplaneError(
    'PROTOCOL_UNSERVED',
    { machine: at.machine, board: at.board, protocol, served: servedBy },
    `${place(at)} speaks "${protocol}", which no machine of the cluster serves.`,
    servedBy.length > 0
      ? `Served in this slot: ${servedBy.join(', ')}. Both sides need the same board: set it without a role.`
      : 'Give a server a board that serves it.',
  );

export const wrongMachines = (text: string, hint: string): BackplaneError =>
  new BackplaneError('WRONG_MACHINES', {}, text, hint);

export const noSuchMachine = (name: string, known: readonly string[]): BackplaneError => {
  const near = nearest(name, known);
  return new BackplaneError(
    'NO_SUCH_MACHINE',
    { name, known, nearest: near ?? null },
    `The cluster has no machine "${name}".`,
    near === undefined ? `It has ${known.join(', ')}.` : `Did you mean "${near}"?`,
  );
};

export const notRunning = (machine: string, state: string): BackplaneError =>
  new BackplaneError(
    'NOT_RUNNING',
    { machine, state },
    `Machine "${machine}" is ${state}, so it has no boards.`,
    'Boot it and wait until it runs.',
  );

export const driverStuck = (name: string): BackplaneError =>
  new BackplaneError(
    'DRIVER_STUCK',
    { name },
    `The driver "${name}" has not ended, and nothing is left to happen: everything waits.`,
    'Give what it waits for a limit, or see to it that it comes.',
  );
