/** Storages and disks with a bug put in between: everything goes through but what is given. */
import type { StoreUnderTest } from '@backplane/crash';
import type { Board, Disk, Storage } from '@backplane/slots';

/** All of it, with some members of its own. */
function delegate<T extends object>(inner: T, own: Partial<T>): T {
  return new Proxy(inner, {
    get(target, key) {
      if (key in own) return own[key as keyof T];
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

export function withStorage(
  store: StoreUnderTest,
  name: string,
  wrap: (inner: Storage) => Partial<Storage>,
): StoreUnderTest {
  return {
    ...store,
    name,
    board: () => {
      const board = store.board();
      let inner: Storage;
      const { halt } = board;
      const wrapped: Board<'storage'> = {
        ...board,
        create: (granted, machine) => {
          inner = board.create(granted, machine);
          return delegate(inner, wrap(inner));
        },
        *start(outer) {
          yield* outer.recover();
        },
        *halt() {
          if (halt !== undefined) yield* halt(inner);
        },
      };
      return wrapped;
    },
  };
}

export const withDisk = (
  store: StoreUnderTest,
  name: string,
  wrap: (inner: Disk) => Partial<Disk>,
): StoreUnderTest => ({ ...store, name, disk: (inner) => delegate(inner, wrap(inner)) });
