/** Boards with a defect: one that conforms, with some members replaced. */
import type { AnySlot, AnySlots, Board, FileProtocol, Machine, ObjectKind, Streams } from '@backplane/slots';
import { type Check, runChecks } from '../src/index.ts';

export type Change<T> = (inside: T, place: Machine) => Partial<T>;

export function defective<S extends AnySlot>(board: Board<S>, change: Change<AnySlots[S]>): Board<S> {
  const outsides = new Map<object, AnySlots[S]>();
  const insides = new Map<object, AnySlots[S]>();
  const within = (outside: AnySlots[S]): AnySlots[S] => insides.get(outside) ?? outside;
  return {
    ...board,
    create(granted, place) {
      const wrap = (inside: AnySlots[S]): AnySlots[S] => {
        const outside = outsides.get(inside) ?? passOn(inside, change(inside, place as Machine));
        outsides.set(inside, outside);
        insides.set(outside, inside);
        return outside;
      };
      const outside = wrap(board.create(registering(granted, wrap as never), place));
      // A scheduler sells time by what it told the scope.
      if (board.slot === 'scheduler') place.scope.executor = outside as AnySlots['scheduler'];
      return outside;
    },
    *start(outside) {
      yield* board.start?.(within(outside)) ?? [];
    },
    *halt(outside) {
      yield* board.halt?.(within(outside)) ?? [];
    },
    reset: (outside) => board.reset?.(within(outside)),
  };
}

/** Everything as it is inside, but for what is changed. Methods keep the object that they belong to. */
export const passOn = <T extends object>(inside: T, changed: Partial<T>): T =>
  new Proxy(inside, {
    get(_, key) {
      if (Object.hasOwn(changed, key)) return Reflect.get(changed, key);
      const member: unknown = Reflect.get(inside, key, inside);
      return typeof member === 'function' ? member.bind(inside) : member;
    },
    set: (_, key, value) => Reflect.set(inside, key, value),
  });

/** What registers itself with streams registers with its defect. */
function registering(granted: never, wrap: (board: never) => never): never {
  const { streams }: { streams?: Streams } = granted;
  if (streams === undefined) return granted;
  const protocol = (p: FileProtocol) => streams.protocol(wrap(p as never));
  const kind = (k: ObjectKind) => streams.kind(wrap(k as never));
  return { ...(granted as object), streams: passOn(streams, { protocol, kind }) } as never;
}

/** The names of the checks that fail, of those with such a name. */
export const failedBy = (checks: readonly Check[], names: RegExp): readonly string[] =>
  runChecks(checks.filter(({ name }) => names.test(name))).map(({ name }) => name);
