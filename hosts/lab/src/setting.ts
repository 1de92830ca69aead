/** `--set [ROLE.]SLOT=BOARD[:option=value,...]`, taken apart and applied to the kernels of a cluster. */
import { type Board, type Kernel, slotFacts, slotOfInstance } from '@backplane/slots';
import { type CatalogueEntry, catalogue } from './catalogue.ts';
import {
  malformedSetting,
  unknownBoard,
  unknownRole,
  unknownSettingSlot,
  wrongSlotOfBoard,
} from './errors.ts';

export interface Setting {
  readonly text: string;
  /** All roles that have the slot, when absent. */
  readonly role: string | null;
  readonly slot: string;
  readonly entry: CatalogueEntry;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A setting taken apart; nothing is known yet about its board. */
export interface SettingWords {
  readonly role: string | null;
  readonly slot: string;
  /** A short name, a package's name, or a file. */
  readonly board: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** @throws BackplaneError when it is no setting at all */
export function splitSetting(text: string): SettingWords {
  const place = `--set ${text}`;
  const equals = text.indexOf('=');
  if (equals < 1)
    throw malformedSetting(
      place,
      'this is no setting.',
      'Write SLOT=BOARD, for example fileCache=none, or SLOT=BOARD:option=value',
    );
  const left = text.slice(0, equals).trim();
  const right = text.slice(equals + 1).trim();
  const dot = left.indexOf('.');
  const colon = optionsColon(right);
  return {
    role: dot < 0 ? null : left.slice(0, dot),
    slot: dot < 0 ? left : left.slice(dot + 1),
    board: colon < 0 ? right : right.slice(0, colon),
    options: colon < 0 ? {} : parseOptions(place, right.slice(colon + 1)),
  };
}

/** The colon before the options. A drive's letter has one too: `C:\boards\mine.ts`. */
function optionsColon(board: string): number {
  return board.indexOf(':', /^[A-Za-z]:[\\/]/.test(board) ? 2 : 0);
}

/** @param known the boards that may be named: those that are installed, and those that were found outside */
export function parseSetting(text: string, known: readonly CatalogueEntry[] = catalogue): Setting {
  const place = `--set ${text}`;
  const { role, slot, board, options } = splitSetting(text);
  const slots = [...new Set([...slotFacts.map((f) => f.slot), ...known.map((e) => e.slot)])];
  if (!slots.includes(slot)) throw unknownSettingSlot(place, slot, slots);
  const inSlot = known.filter((e) => e.slot === slot);
  const entry = inSlot.find((e) => e.short === board || e.name === board);
  if (entry !== undefined) return { text, role, slot, entry, options };
  const elsewhere = known.find((e) => e.short === board || e.name === board);
  if (elsewhere !== undefined) throw wrongSlotOfBoard(place, slot, board, elsewhere.slot);
  throw unknownBoard(
    place,
    slot,
    board,
    inSlot.map((e) => e.short),
  );
}

function parseOptions(place: string, text: string): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = {};
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=');
    if (equals < 1)
      throw malformedSetting(place, `"${pair}" is no option.`, 'Write option=value, with commas between');
    options[pair.slice(0, equals).trim()] = parseValue(pair.slice(equals + 1).trim());
  }
  return options;
}

/** Numbers and booleans as such, everything else as text: the board's schema has the last word. */
function parseValue(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/**
 * The kernels with the settings applied. A slot of many keeps its instances: each is filled by the new board, with the
 * options that belong to the place (`domain`, `disk`) taken over where the board has them. One that is empty is filled
 * only on a role that the setting names.
 */
export function applySettings(
  kernels: ReadonlyMap<string, Kernel>,
  settings: readonly Setting[],
): ReadonlyMap<string, Kernel> {
  const changed = new Map(kernels);
  for (const s of settings) {
    const roles = s.role === null ? [...kernels.keys()] : [s.role];
    for (const role of roles) {
      const kernel = changed.get(role);
      if (kernel === undefined) throw unknownRole(`--set ${s.text}`, role, [...kernels.keys()]);
      changed.set(role, applySetting(kernel, s));
    }
  }
  return changed;
}

function applySetting(kernel: Kernel, s: Setting): Kernel {
  const { make } = s.entry;
  const facts = slotFacts.find((f) => f.slot === s.slot) ?? make(s.options).facts;
  if (facts?.many !== true) return kernel.with({ [s.slot]: make(s.options) });
  const instances = [...kernel.boards].filter(([instance]) => slotOfInstance(instance) === s.slot);
  // Where there is none to exchange, only a role that was named gets one.
  if (instances.length === 0)
    return s.role === null ? kernel : kernel.with({ [s.slot]: { 0: make(s.options) } });
  const filled = instances.map(
    ([instance, before]) =>
      [
        instance.slice(s.slot.length + 1) || '0',
        make({ ...placeOptions(s.entry, before), ...s.options }),
      ] as const,
  );
  return kernel.with({ [s.slot]: Object.fromEntries(filled) });
}

/** What says where a board stands rather than how it works. */
const ofPlace = ['domain', 'disk'];

function placeOptions(entry: CatalogueEntry, before: Board): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    ofPlace.filter((o) => o in before.options && takes(entry, o)).map((o) => [o, before.options[o]]),
  );
}

/** Does the board have this option? Asked of a board with its defaults. */
const takes = (entry: CatalogueEntry, option: string): boolean => option in entry.make().options;
