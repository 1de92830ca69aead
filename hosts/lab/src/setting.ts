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
import { type BoardOptions, parseOptions, withLists } from './setting-options.ts';
import { alone, filled } from './wrapping.ts';

export interface Setting {
  readonly text: string;
  /** All roles that have the slot, when absent. */
  readonly role: string | null;
  readonly slot: string;
  readonly entry: CatalogueEntry;
  readonly options: BoardOptions;
}

/** A setting taken apart; nothing is known yet about its board. */
export interface SettingWords {
  readonly role: string | null;
  readonly slot: string;
  /** A short name, a package's name, or a file. */
  readonly board: string;
  readonly options: BoardOptions;
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
  if (entry !== undefined)
    return { text, role, slot, entry, options: withLists(entry.component.schema, options) };
  const elsewhere = known.find((e) => e.short === board || e.name === board);
  if (elsewhere !== undefined) throw wrongSlotOfBoard(place, slot, board, elsewhere.slot);
  throw unknownBoard(
    place,
    slot,
    board,
    inSlot.map((e) => e.short),
  );
}

/**
 * The kernels with the settings applied. A slot of many keeps its instances: each is filled by the new board, which takes
 * over what the kernel says of the place (`kept`) unless the setting says it; a board that is made of others of its slot
 * stands before each instead (`wrapping.ts`). One that is empty is filled only on a role that the setting names.
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
  const filling = {
    place: `--set ${s.text}`,
    slot: s.slot,
    component: s.entry.name,
    options: s.options,
    make: (before: Board | null, options: BoardOptions) =>
      make({ ...(before && placeOptions(s.entry, before, options)), ...options }),
  };
  const instances = new Map([...kernel.boards].filter(([instance]) => slotOfInstance(instance) === s.slot));
  // Where there is none to exchange, only a role that was named gets one.
  if (instances.size === 0 && s.role === null) return kernel;
  const boards = instances.size === 0 ? alone(filling) : filled(instances, filling);
  return kernel.with({
    [s.slot]: Object.fromEntries(
      [...boards].map(([instance, board]) => [instance.slice(s.slot.length + 1) || '0', board]),
    ),
  });
}

/**
 * What does not change with who fills a place: where it is, and what the kernel promises of it. Programs go on over a crash
 * of their server because its names are on the disk; they do so with any storage that is set there.
 */
const kept = ['domain', 'disk', 'metadata'];

/** What a board is made of means something only to the same component. */
function placeOptions(entry: CatalogueEntry, before: Board, given: BoardOptions): BoardOptions {
  const names = before.name === entry.name ? [...kept, 'of'] : kept;
  return Object.fromEntries(
    names
      .filter((o) => o in before.options && !(o in given))
      .map((o) => [o, before.options[o]] as const)
      .filter(([o, value]) => takes(entry, o, { ...given, [o]: value })),
  );
}

/** Has the board this option, with that value? */
function takes({ component: { schema } }: CatalogueEntry, option: string, options: BoardOptions): boolean {
  const result = schema?.['~standard'].validate(options);
  return result !== undefined && 'value' in result && option in Object(result.value);
}
