/** What can be wrong with the settings of a run: the place, the nearest valid spelling, the remedy. Nothing has been run then. */
import { BackplaneError, nearest } from '@backplane/slots';

const near = (wrong: string, known: readonly string[]): string => {
  const candidate = nearest(wrong, known);
  return candidate === undefined ? `There are: ${known.join(', ')}.` : `Did you mean "${candidate}"?`;
};

export const unknownExperiment = (name: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_EXPERIMENT',
    { name, known },
    `There is no experiment "${name}".`,
    near(name, known),
  );

export const unknownMachineType = (name: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_MACHINE_TYPE',
    { name, known },
    `There is no machine type "${name}".`,
    near(name, known),
  );

export const unknownKernel = (name: string, known: readonly string[]): BackplaneError =>
  new BackplaneError('UNKNOWN_KERNEL', { name, known }, `There is no kernel "${name}".`, near(name, known));

export const slotNotFilled = (
  experiment: string,
  o: { readonly slot: string; readonly machine: string; readonly kernel: string; readonly usual: string },
): BackplaneError =>
  new BackplaneError(
    'SLOT_NOT_FILLED',
    { experiment, ...o },
    `${experiment}: ${o.machine} runs the kernel "${o.kernel}", which has no board in the slot "${o.slot}".`,
    o.kernel.startsWith(o.usual) ? `Give it one: --set ${o.slot}=BOARD` : `Try --kernel ${o.usual}`,
  );

export const unknownRole = (place: string, role: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_ROLE',
    { place, role, known },
    `${place}: no machine has the role "${role}".`,
    near(role, known),
  );

export const unknownBoard = (
  place: string,
  slot: string,
  name: string,
  known: readonly string[],
): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_BOARD',
    { place, slot, name, known },
    `${place}: no installed board for the slot "${slot}" is called "${name}".`,
    known.length === 0
      ? `Nothing is installed for that slot: backplane components shows what is.`
      : near(name, known),
  );

export const unknownSettingSlot = (place: string, slot: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_SLOT',
    { place, slot, known },
    `${place}: there is no slot "${slot}".`,
    near(slot, known),
  );

export const wrongSlotOfBoard = (place: string, slot: string, name: string, of: string): BackplaneError =>
  new BackplaneError(
    'WRONG_SLOT',
    { place, slot, name, of },
    `${place}: ${name} is a board for the slot "${of}", not for "${slot}".`,
    `--set ${of}=${name}`,
  );

export const malformedSetting = (place: string, what: string, hint: string): BackplaneError =>
  new BackplaneError('MALFORMED_SETTING', { place }, `${place}: ${what}`, hint);

export const wrapsNobody = (place: string, slot: string): BackplaneError =>
  new BackplaneError(
    'WRAPS_NOBODY',
    { place, slot },
    `${place}: the board stands before others of the slot "${slot}", and there is none.`,
    `Set what is to stand behind it first, with another --set for "${slot}".`,
  );

export const noInstance = (place: string, slot: string, name: string): BackplaneError =>
  malformedSetting(place, `"${name}" is no name for one of the slot "${slot}".`, `Write of=${slot}.1`);

export const copiesWrapping = (place: string, name: string): BackplaneError =>
  new BackplaneError(
    'COPIES_WRAPPING',
    { place, name },
    `${place}: the board is made of several of what it displaces, which is ${name} with others behind it.`,
    `Set the board that is made of several first, and ${name} after it.`,
  );

export const wrongFault = (spec: string, what: string, hint: string): BackplaneError =>
  new BackplaneError('WRONG_FAULT', { spec }, `--fault ${spec}: ${what}`, hint);

export const unknownFault = (spec: string, kind: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'WRONG_FAULT',
    { spec, kind },
    `--fault ${spec}: there is no fault "${kind}".`,
    near(kind, known),
  );

export const unreadableTree = (directory: string, reason: string): BackplaneError =>
  new BackplaneError(
    'UNREADABLE_TREE',
    { directory, reason },
    `--tree ${directory}: ${reason}`,
    'Give a directory that can be read: --tree ./src',
  );

export const wrongParameter = (experiment: string, text: string): BackplaneError =>
  new BackplaneError(
    'WRONG_PARAMETER',
    { experiment },
    `${experiment}: ${text}`,
    `backplane run ${experiment} --help shows its options.`,
  );

/** @param failures what they were told, and where */
export const programsFailed = (experiment: string, failures: readonly string[]): BackplaneError =>
  new BackplaneError(
    'PROGRAMS_FAILED',
    { experiment, failures },
    `${experiment}: ${failures.join('; ')}.`,
    'If a server crashed, it has forgotten what its storage had not written: with the option metadata=synchronous, as a preset has it, names are written before they are confirmed.',
  );

export const programsCrashed = (experiment: string): BackplaneError =>
  new BackplaneError(
    'PROGRAMS_CRASHED',
    { experiment },
    `${experiment}: a machine crashed that ran one of its programs.`,
    'Programs end with their machine: crash another, such as a server.',
  );

export const didNotEnd = (experiment: string, untilSeconds: number): BackplaneError =>
  new BackplaneError(
    'DID_NOT_END',
    { experiment, untilSeconds },
    `${experiment} had not ended after ${untilSeconds} virtual seconds.`,
    'Give it longer: --until',
  );

export const stuck = (experiment: string, afterSeconds: number): BackplaneError =>
  new BackplaneError(
    'DID_NOT_END',
    { experiment, afterSeconds },
    `${experiment} waits for ever: after ${afterSeconds} virtual seconds nothing is left to happen.`,
    'Look at what it waits for: --trace run.pftrace',
  );
