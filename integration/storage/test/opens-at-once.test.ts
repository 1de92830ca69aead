/** Threads of a file server that open one name at once, over every storage: to look it up and to make it are two steps. */
import { sleep, type Task, type Thread, us } from '@backplane/engine';
import { Domain, fileKey, openName } from '@backplane/file-service';
import { isKernelError, type OpenHow, type Storage } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Server, type ServerOptions } from './server.ts';

const asker = { who: { uid: 0, gid: 0, groups: [] }, machineType: 'any' };
const threads = 12;

/** A storage that takes its time over every step, as one on a disk does over some. */
const slow = (s: Storage): Storage =>
  new Proxy(s, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      if (!['attributes', 'lookup', 'create', 'unlink'].includes(String(key))) return member.bind(target);
      return function* (...args: readonly unknown[]): Task<unknown> {
        yield* sleep(us(100));
        return yield* Reflect.apply(member, target, args) as Task<unknown>; // boundary: these four are tasks
      };
    },
  });

interface Store {
  readonly server?: ServerOptions;
  readonly of: (server: Server) => Storage;
}
const stores: Readonly<Record<string, Store>> = {
  'on a disk': { of: (s) => s.storage },
  'on a disk, metadata written through': {
    server: { ofs: { metadata: 'synchronous' }, cacheBlocks: 30 },
    of: (s) => s.storage,
  },
  'in memory': { of: (s) => s.model },
  'in a slow memory': { of: (s) => slow(s.model) },
};

/** What each of the threads that open this at once has come to, in their order. */
function opensAtOnce(
  { server: options, of }: Store,
  path: string,
  how: OpenHow,
  before: (s: Storage) => Task<unknown> = function* () {},
): { readonly outcomes: readonly string[]; readonly created: number; readonly entries: readonly string[] } {
  const server = new Server(options);
  const storage = of(server);
  const domain = new Domain(storage, testMachine({ engine: server.cluster.engine }), {
    *fresh(_, attributes) {
      return attributes;
    },
    freed: () => {},
  });
  let created = 0;
  function* open(): Task<string> {
    try {
      const outcome = yield* openName(domain, how, storage.root, path, asker);
      if (outcome.is !== 'done') return outcome.is;
      if (outcome.value.created) created++;
      return fileKey(outcome.value.file);
    } catch (e) {
      if (isKernelError(e)) return e.kind;
      throw e;
    }
  }
  return server.run(
    (function* () {
      yield* before(storage);
      const started: Thread<string>[] = [];
      for (let n = 0; n < threads; n++) started.push(server.machine.scope.spawn('open', open()));
      const outcomes: string[] = [];
      for (const thread of started) outcomes.push((yield* thread.join()) ?? 'killed');
      const entries = (yield* storage.entries(storage.root)).map((e) => e.name);
      return { outcomes, created, entries };
    })(),
  );
}

const create = { read: true, write: true, create: true };

describe.each(Object.entries(stores))('threads that open one name at once in a storage %s', (_, store) => {
  it('all have the same file, which one of them has made', () => {
    const { outcomes, created, entries } = opensAtOnce(store, 'same', create);
    expect(new Set(outcomes).size).toBe(1);
    expect(outcomes[0]).toMatch(/^\d+\.\d+\.\d+$/);
    expect([created, entries]).toEqual([1, ['same']]);
  });

  it('all have the file that a dangling link leads to', () => {
    const link = { type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: 'there' } as const;
    const { outcomes, created, entries } = opensAtOnce(store, 'link', create, (s) =>
      s.create(s.root, 'link', link),
    );
    expect([new Set(outcomes).size, created, entries]).toEqual([1, 1, ['link', 'there']]);
  });

  it('have it one by one when it has to be a new one: the others get exists', () => {
    const { outcomes, created } = opensAtOnce(store, 'same', { ...create, exclusive: true });
    expect(outcomes.filter((o) => o === 'exists')).toHaveLength(threads - 1);
    expect(created).toBe(1);
  });
});
