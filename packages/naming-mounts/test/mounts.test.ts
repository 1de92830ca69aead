import { type Scope, sleep, type Task } from '@backplane/engine';
import {
  type Attempt,
  above,
  authority,
  done,
  isKernelError,
  KernelError,
  type NameTarget,
  type NameView,
  type Naming,
  type Procedure,
  redirect,
  type Silent,
  silent,
  staleName,
  type Transport,
  token,
} from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { type MountNamingOptions, mountNaming } from '../src/index.ts';

/** A host with its exports: roots by prefix. */
interface Server {
  readonly host: number;
  readonly exports: Record<string, string>;
  dead?: boolean;
}

interface World {
  readonly naming: Naming;
  readonly view: NameView;
  /** Who was asked for what. */
  readonly asked: string[];
  readonly scope: Scope;
  readonly serves: Map<string, (request: unknown) => Task<unknown | Silent>>;
  metric(name: string): number | undefined;
  run<T>(body: Task<T>): T | string;
}

/** One board on host 9, and a transport that the given servers answer, through the procedures' own codecs. */
function world(servers: readonly Server[], options: MountNamingOptions = {}): World {
  const machine = testMachine({ host: 9 });
  const asked: string[] = [];
  const serves = new Map<string, (request: unknown) => Task<unknown | Silent>>();
  const through = (p: Procedure<unknown, unknown>, value: unknown): unknown =>
    p.reply.decode(p.reply.encode(value));
  const hint = (s: Server, prefix: string): unknown => ({
    prefix,
    protocol: 'test',
    authority: authority(String(s.host)),
    root: token(s.exports[prefix] ?? ''),
  });
  const transport = {
    serve: (p: Procedure<unknown, unknown>, handler: (request: unknown) => Task<unknown>) => {
      serves.set(p.name, handler);
      return () => {};
    },
    *ask(p: Procedure<unknown, unknown>) {
      asked.push('everybody');
      yield* sleep(500);
      return servers
        .filter((s) => s.dead !== true)
        .map((s) => ({
          from: s.host,
          reply: through(
            p,
            Object.keys(s.exports).map((prefix) => hint(s, prefix)),
          ),
        }));
    },
    *call(to: number, p: Procedure<unknown, unknown>, prefix: string) {
      asked.push(`${to} ${prefix}`);
      const server = servers.find((s) => s.host === to);
      if (server === undefined || server.dead === true) throw new KernelError('peerDown');
      if (server.exports[prefix] === undefined) throw new KernelError('notFound');
      return through(p, hint(server, prefix));
    },
  } as unknown as Transport;
  const naming = mountNaming({ tries: 2, ...options }).create(
    { transport, wrapped: new Map() } as never,
    machine,
  );
  return {
    naming,
    view: naming.view(),
    asked,
    scope: machine.scope,
    serves,
    metric: (name) => machine.metric(name),
    run<T>(body: Task<T>): T | string {
      const results: (T | string)[] = [];
      machine.scope.spawn(
        'test',
        (function* (): Task<void> {
          try {
            results.push(yield* body);
          } catch (e) {
            if (!isKernelError(e)) throw e;
            results.push(e.kind);
          }
        })(),
      );
      machine.engine.run();
      return results[0] as T | string;
    },
  };
}

/** An attempt that answers with who was asked for what. */
const where = function* (t: NameTarget): Task<Attempt<string>> {
  return done(`${t.authority} ${t.root} ${t.remainder}`);
};

const two: readonly Server[] = [
  { host: 1, exports: { '/': 'r' } },
  { host: 2, exports: { '/src': 's', '/src/old': 'o' } },
];

describe('mount tables', () => {
  it('ask everybody once, and match the longest prefix by whole components', () => {
    const w = world(two);
    const seen = ['/a/b', '/src/x', '/src/old/x', '/srcs', '/src'].map((path) =>
      w.run(w.view.perform(path, 'object', where)),
    );
    expect(seen).toEqual(['1 r a/b', '2 s x', '2 o x', '1 r srcs', '2 s ']);
    expect([w.asked, w.metric('naming.mounts')]).toEqual([['everybody'], 3]);
  });

  it('let one thread ask while the others wait', () => {
    const w = world(two);
    const other: string[] = [];
    w.scope.spawn(
      'other',
      (function* (): Task<void> {
        other.push(yield* w.view.inherit().perform('/src/b', 'object', where));
      })(),
    );
    expect([w.run(w.view.perform('/a', 'object', where)), other]).toEqual(['1 r a', ['2 s b']]);
    expect(w.asked).toEqual(['everybody']);
  });

  it('ask only the hosts that are given, each when its prefix is first used', () => {
    const w = world(two, { mounts: { '/': 1, '/src': 2 } });
    expect(w.run(w.view.perform('/a', 'object', where))).toBe('1 r a');
    expect(w.asked).toEqual(['1 /']);
    expect(w.run(w.view.perform('/src/a', 'object', where))).toBe('2 s a');
    expect(w.asked).toEqual(['1 /', '2 /src']);
  });

  it('do not find a name under no mount', () => {
    const w = world(two, { mounts: { '/src': 2 } });
    expect(w.run(w.view.perform('/a', 'object', where))).toBe('notFound');
    expect(w.run(w.view.perform('/src', 'entry', where))).toBe('notFound');
    expect(w.asked).toEqual([]);
  });

  it('say that a given server does not answer, and that it does not export what is asked for', () => {
    const w = world([{ host: 1, exports: { '/': 'r' }, dead: true }], { mounts: { '/': 1 } });
    expect(w.run(w.view.perform('/a', 'object', where))).toBe('noAnswer');
    const other = world(two, { mounts: { '/bin': 1 } });
    expect(other.run(other.view.perform('/bin/sh', 'object', where))).toBe('notFound');
  });

  it('ask again at the next name when nobody answered at all', () => {
    const servers: Server[] = [{ host: 1, exports: { '/': 'r' }, dead: true }];
    const w = world(servers);
    expect(w.run(w.view.perform('/a', 'object', where))).toBe('notFound');
    (servers[0] as Server).dead = false;
    expect(w.run(w.view.perform('/a', 'object', where))).toBe('1 r a');
    expect(w.asked).toEqual(['everybody', 'everybody', 'everybody']);
  });

  it('never learn a prefix, but follow a redirect into what is mounted', () => {
    const w = world(two);
    const crossing = function* (t: NameTarget): Task<Attempt<string>> {
      if (t.authority === authority('1') && t.remainder.startsWith('link'))
        return redirect(`/src/${t.remainder.slice(5)}`, 4);
      if (t.authority === authority('1') && t.remainder.startsWith('lost')) return redirect('/lost/x', 5);
      return yield* where(t);
    };
    expect(w.run(w.view.perform('/link/x', 'object', crossing))).toBe('2 s x');
    expect(w.run(w.view.perform('/lost/x', 'object', crossing))).toBe('notFound');
    expect(w.asked).toEqual(['everybody']);
  });

  it('ask the same server again for a root that it calls stale', () => {
    const servers: Server[] = [...two];
    const w = world(servers);
    w.run(w.view.perform('/', 'object', where));
    (servers[0] as Server).exports['/'] = 'new';
    const once = function* (t: NameTarget): Task<Attempt<string>> {
      return t.root === token('r') ? staleName : yield* where(t);
    };
    expect(w.run(w.view.perform('/f', 'object', once))).toBe('1 new f');
    expect([w.asked, w.metric('naming.remounts')]).toEqual([['everybody', '1 /'], 1]);
    (servers[0] as Server).exports['/'] = 'r';
  });

  it('leave the name of a mount itself to its parent, for what is about the entry, and climb above a root', () => {
    const w = world(two);
    expect(w.run(w.view.perform('/src', 'entry', where))).toBe('1 r src');
    const climbing = function* (t: NameTarget): Task<Attempt<string>> {
      return t.remainder.startsWith('..') ? above(t.remainder) : yield* where(t);
    };
    expect(w.run(w.view.perform('/src/../x', 'object', climbing))).toBe('1 r x');
  });

  it('prefer what the host exports itself, and answer others from it', () => {
    const w = world(two);
    const own = { prefix: '/src', protocol: 'test', authority: authority('9'), root: token('own') };
    const undo = w.naming.export(own);
    expect(w.run(w.view.perform('/src/a', 'object', where))).toBe('9 own a');
    const ask = (name: string, request: unknown): unknown => w.serves.get(name)?.(request).next().value;
    expect([ask('exports', null), ask('mount', '/src')]).toEqual([[own], own]);
    expect(() => ask('mount', '/')).toThrow('notFound');
    undo();
    expect(ask('exports', null)).toBe(silent);
  });

  it('are enough for a host that is alone with its exports', () => {
    const w = world([]);
    w.naming.export({ prefix: '/', protocol: 'test', authority: authority('9'), root: token('own') });
    expect(w.run(w.view.perform('/a', 'object', where))).toBe('9 own a');
    w.run(w.view.perform('/b', 'object', where));
    expect(w.asked).toEqual(['everybody', 'everybody']);
  });

  it('refuse a prefix that is no absolute path', () => {
    expect(() => mountNaming({ mounts: { src: 1 } })).toThrowError(
      expect.objectContaining({ code: 'WRONG_OPTION' }),
    );
  });
});
