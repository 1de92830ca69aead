/**
 * What a board is, and `defineComponent`, which makes a typed factory of boards.
 *
 * A board names what it needs by slot: `x` (must be there), `x?` (if it is there), `x+capability` (must be there and
 * have that optional member). `create` is handed exactly those. A slot of many gives a map from instance name to board.
 * Slots and boards are known by text, never by identity: two copies of a package do not break a composition.
 */
import type { Engine, RandomStream, Scope, Task } from '@backplane/engine';
import { BackplaneError } from './backplane-error.ts';
import type { Machine, Metrics } from './machine.ts';
import type { AnySlot, AnySlots, ManySlot, ManySlots, OneSlot, SlotFacts, Slots } from './slots.ts';

/** Optional members of a contract are its capabilities. */
type CapabilityOf<S extends OneSlot> = {
  [K in keyof Slots[S]]-?: undefined extends Slots[S][K] ? K : never;
}[keyof Slots[S]] &
  string;
type OneRequirement = { [S in OneSlot]: S | `${S}?` | `${S}+${CapabilityOf<S>}` }[OneSlot];
type RequirableSlot = Exclude<ManySlot, 'fileCache' | 'objects' | 'servers'>;
type ManyRequirement = { [S in RequirableSlot]: S | `${S}?` }[RequirableSlot];
export type Requirement = OneRequirement | ManyRequirement;

type SlotOf<R> = R extends `${infer S extends AnySlot}?`
  ? S
  : R extends `${infer S extends AnySlot}+${string}`
    ? S
    : R extends AnySlot
      ? R
      : never;
type CapabilitiesIn<R, S extends string> = R extends `${S}+${infer C}` ? C : never;
type GrantedOne<R, S extends OneSlot> = [Extract<R, S | `${S}+${string}`>] extends [never]
  ? Slots[S] | undefined
  : [CapabilitiesIn<R, S>] extends [never]
    ? Slots[S]
    : Slots[S] & { readonly [K in CapabilitiesIn<R, S> & keyof Slots[S]]-?: NonNullable<Slots[S][K]> };

/** What `create` gets for a list of requirements. */
export type Granted<R extends Requirement> = {
  readonly [S in SlotOf<R>]: S extends OneSlot
    ? GrantedOne<R, S>
    : S extends ManySlot
      ? ReadonlyMap<string, ManySlots[S]>
      : never;
};

/** Where a board of the cluster's own lifetime lives; a `Machine` is such a place too. */
export interface Place {
  readonly name: string;
  readonly scope: Scope;
  readonly engine: Engine;
  readonly metrics: Metrics;
  random(purpose: string): RandomStream;
}
export type PlaceOf<S extends AnySlot> = S extends 'medium' ? Place : Machine;

/** The part of the Standard Schema interface (version 1) that is used: any library's schema will do. */
export interface OptionsSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | PromiseLike<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}
type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };
type InputOf<O> = O extends OptionsSchema<infer I, infer _> ? I : Record<never, never>;
type OutputOf<O> = O extends OptionsSchema<infer _, infer V> ? V : Record<never, never>;

/** A protocol that a board answers: always, or only on a machine where a slot is filled (a server half needs a storage). */
export interface Served {
  readonly protocol: string;
  readonly where?: AnySlot;
}

/** What a board is before it is made: plain facts, and the functions that the chassis calls at the right time. */
export interface Board<S extends AnySlot = AnySlot> {
  readonly slot: S;
  /** The package's name. */
  readonly name: string;
  readonly version: string;
  /** The version of the slot's contract that it was written against. */
  readonly contract: number;
  readonly requires: readonly string[];
  /** Optional members of the contract that this board has. */
  readonly capabilities: readonly string[];
  /** What it says to other machines, and what it answers: both ends of a cluster must agree. */
  readonly speaks: readonly string[];
  readonly serves: readonly Served[];
  /** Instances of its own or another slot of many that its options name: `['disk.1', 'disk.2']`. */
  readonly wraps: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** For a slot that is not in `slotFacts`. */
  readonly facts?: SlotFacts;
  create(granted: never, place: PlaceOf<S>): AnySlots[S];
  /** Runs at boot, in order of dependency, under virtual time. */
  start?(board: AnySlots[S]): Task<void>;
  /** Runs at an orderly halt, in reverse order. */
  halt?(board: AnySlots[S]): Task<void>;
  /** Machine boards, at a crash: forget every callback and everything volatile. */
  reset?(board: AnySlots[S]): void;
}

export interface ComponentDefinition<S extends AnySlot, R extends Requirement, O> {
  readonly name: string;
  readonly version: string;
  readonly slot: S;
  readonly contract: number;
  readonly requires: readonly R[];
  readonly capabilities?: readonly string[];
  readonly speaks?: readonly string[] | ((options: OutputOf<NoInfer<O>>) => readonly string[]);
  readonly serves?: readonly Served[] | ((options: OutputOf<NoInfer<O>>) => readonly Served[]);
  readonly wraps?: (options: OutputOf<NoInfer<O>>) => readonly string[];
  readonly facts?: SlotFacts;
  readonly options?: O;
  create(
    granted: Granted<R> & { readonly wrapped: ReadonlyMap<string, unknown> },
    options: OutputOf<NoInfer<O>>,
    place: PlaceOf<S>,
  ): AnySlots[S];
  start?(board: AnySlots[S]): Task<void>;
  halt?(board: AnySlots[S]): Task<void>;
  reset?(board: AnySlots[S]): void;
}

/** Makes boards of one component: `spriteRpc({ retries: 3 })`. Wrong options are an error that names board, path and remedy. */
export interface Component<S extends AnySlot = AnySlot, I = never> {
  (options?: I): Board<S>;
  readonly componentName: string;
  readonly version: string;
  readonly slot: S;
  readonly contract: number;
  readonly requires: readonly string[];
  readonly capabilities: readonly string[];
  readonly schema: OptionsSchema | undefined;
}

export function defineComponent<
  const S extends AnySlot,
  const R extends Requirement = never,
  O extends OptionsSchema | undefined = undefined,
>(d: ComponentDefinition<S, R, O>): Component<S, Partial<InputOf<O>>> {
  const make = (given?: Partial<InputOf<O>>): Board<S> => {
    const options = validate(d.name, d.options, given) as OutputOf<O>;
    const list = <T>(x: readonly T[] | ((options: OutputOf<O>) => readonly T[]) | undefined): readonly T[] =>
      typeof x === 'function' ? x(options) : (x ?? []);
    return Object.freeze({
      slot: d.slot,
      name: d.name,
      version: d.version,
      contract: d.contract,
      requires: d.requires,
      capabilities: d.capabilities ?? [],
      speaks: list(d.speaks),
      serves: list(d.serves),
      wraps: d.wraps?.(options) ?? [],
      options: options as Readonly<Record<string, unknown>>,
      ...(d.facts && { facts: d.facts }),
      // The chassis grants by the same list of requirements, checked at composition: the one place where the type is taken on trust.
      create: (granted: never, place: PlaceOf<S>) => d.create(granted, options, place),
      ...(d.start && { start: d.start }),
      ...(d.halt && { halt: d.halt }),
      ...(d.reset && { reset: d.reset }),
    });
  };
  return Object.freeze(
    Object.assign(make, {
      componentName: d.name,
      version: d.version,
      slot: d.slot,
      contract: d.contract,
      requires: d.requires,
      capabilities: d.capabilities ?? [],
      schema: d.options,
    }),
  );
}

function validate(board: string, schema: OptionsSchema | undefined, given: unknown): unknown {
  if (schema === undefined) {
    const keys = Object.keys(given ?? {});
    if (keys.length > 0)
      throw wrongOptions(board, [{ path: keys[0] ?? '', message: 'this board has no options' }]);
    return {};
  }
  const result = schema['~standard'].validate(given ?? {});
  if (!('issues' in result) && !('value' in result))
    throw wrongOptions(board, [{ path: '', message: 'its schema answers with a promise' }]);
  if (result.issues !== undefined) {
    throw wrongOptions(
      board,
      result.issues.map((i) => ({
        path: (i.path ?? []).map((p) => String(typeof p === 'object' ? p.key : p)).join('.'),
        message: i.message,
      })),
    );
  }
  return result.value;
}

const wrongOptions = (board: string, issues: readonly { path: string; message: string }[]): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { board, issues: issues.map((i) => ({ path: i.path, message: i.message })) },
    `${board}: ${issues.map((i) => (i.path === '' ? i.message : `option "${i.path}": ${i.message}`)).join('; ')}`,
    `backplane components shows the options of ${board} with their defaults.`,
  );
