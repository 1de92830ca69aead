import type { Engine, Task } from '@backplane/engine';
import {
  type Attempt,
  above,
  authority,
  done,
  isKernelError,
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
import { prefixNaming } from '../src/index.ts';

/** A host that answers broadcasts for its prefixes. */
interface Server {
  readonly prefixes: Record<string, string>;
  readonly name: string;
}

interface World {
  readonly engine: Engine;
  readonly naming: Naming;
  readonly view: NameView;
  readonly asked: string[];
  metric(name: string): number | undefined;
  run<T>(body: Task<T>): T | string;
}

/** One board, and a transport whose broadcasts the given servers answer. */
function world(servers: readonly Server[]): World {
  const machine = testMachine();
  const asked: string[] = [];
  let own: ((prefix: unknown) => Task<unknown | Silent>) | undefined;
  const transport = {
    serve: (_p: unknown, handler: typeof own) => {
      own = handler;
      return () => {};
    },
    *ask(procedure: Procedure<unknown, unknown>, prefix: string) {
      asked.push(prefix);
      const found = servers.find((s) => s.prefixes[prefix] !== undefined);
      if (found === undefined) return [];
      const reply = procedure.reply.decode(
        procedure.reply.encode({
          prefix,
          protocol: 'test',
          authority: authority(found.name),
          root: token(found.prefixes[prefix] ?? ''),
        }),
      );
      return [{ from: 2, reply }];
    },
  } as unknown as Transport;
  const naming = prefixNaming({ tries: 2 }).create({ transport, wrapped: new Map() } as never, machine);
  return {
    engine: machine.engine,
    naming,
    view: naming.view(),
    asked,
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

describe('prefix tables', () => {
  it('ask for a prefix once, and use the hint from then on', () => {
    const w = world([{ name: 'allspice', prefixes: { '/': 'r' } }]);
    expect([
      w.run(w.view.perform('/a/b', 'object', where)),
      w.run(w.view.perform('/c', 'object', where)),
    ]).toEqual(['allspice r a/b', 'allspice r c']);
    expect(w.asked).toEqual(['/']);
  });

  it('learn a prefix from a redirect, and match the longest by whole components', () => {
    const w = world([
      { name: 'allspice', prefixes: { '/': 'r' } },
      { name: 'mint', prefixes: { '/src': 's' } },
    ]);
    const crossing = function* (t: NameTarget): Task<Attempt<string>> {
      if (t.authority === authority('allspice') && t.remainder.startsWith('src/'))
        return redirect(`/${t.remainder}`, 4);
      return yield* where(t);
    };
    expect(w.run(w.view.perform('/src/kernel', 'object', crossing))).toBe('mint s kernel');
    expect(w.run(w.view.perform('/src', 'object', where))).toBe('mint s ');
    expect(w.run(w.view.perform('/srcs', 'object', where))).toBe('allspice r srcs');
  });

  it('leave the name of a prefix itself to its parent, for what is about the entry', () => {
    const w = world([
      { name: 'allspice', prefixes: { '/': 'r' } },
      { name: 'mint', prefixes: { '/src': 's' } },
    ]);
    w.naming.export({ prefix: '/src', protocol: 'test', authority: authority('self'), root: token('own') });
    expect(w.run(w.view.perform('/src', 'object', where))).toBe('self own ');
    expect(w.run(w.view.perform('/src', 'entry', where))).toBe('allspice r src');
  });

  it('climb above a domain’s root', () => {
    const w = world([
      { name: 'allspice', prefixes: { '/': 'r' } },
      { name: 'mint', prefixes: { '/a/b': 's' } },
    ]);
    const climbing = function* (t: NameTarget): Task<Attempt<string>> {
      if (t.remainder.startsWith('..')) return above(t.remainder);
      if (t.authority === authority('allspice') && t.remainder === 'a/b/../x/y')
        return redirect('/a/b/../x/y', 4);
      return yield* where(t);
    };
    expect(w.run(w.view.perform('/a/b/../x/y', 'object', climbing))).toBe('allspice r a/x/y');
  });

  it('forget a hint that its server calls stale, and locate again', () => {
    const servers = [{ name: 'allspice', prefixes: { '/': 'old' } }];
    const w = world(servers);
    w.run(w.view.perform('/', 'object', where));
    (servers[0] as Server).prefixes['/'] = 'new';
    const once = function* (t: NameTarget): Task<Attempt<string>> {
      return t.root === token('old') ? staleName : yield* where(t);
    };
    expect(w.run(w.view.perform('/f', 'object', once))).toBe('allspice new f');
    expect(w.metric('naming.hintsForgotten')).toBe(1);
  });

  it('say "not found" when nobody ever answered, and "no answer" when somebody did once', () => {
    const servers: Server[] = [{ name: 'allspice', prefixes: { '/': 'r' } }];
    const w = world(servers);
    const lost = world([]);
    expect(lost.run(lost.view.perform('/f', 'object', where))).toBe('notFound');
    w.run(w.view.perform('/f', 'object', where));
    servers.pop();
    const stale = function* (): Task<Attempt<string>> {
      return staleName;
    };
    expect(w.run(w.view.perform('/f', 'object', stale))).toBe('noAnswer');
  });

  it('wait while a server is unreachable, as long as its protocol says so', () => {
    const w = world([{ name: 'allspice', prefixes: { '/': 'r' } }]);
    let tries = 0;
    const flaky = function* (t: NameTarget): Task<Attempt<string>> {
      tries++;
      if (tries > 30) return yield* where(t);
      return {
        is: 'unreachable',
        perhapsDone: false,
        *wait() {
          return 'retry';
        },
      };
    };
    expect(w.run(w.view.perform('/f', 'object', flaky))).toBe('allspice r f');
    const hopeless = function* (): Task<Attempt<string>> {
      return {
        is: 'unreachable',
        perhapsDone: false,
        *wait() {
          return 'give-up';
        },
      };
    };
    expect(w.run(w.view.perform('/f', 'object', hopeless))).toBe('noAnswer');
  });

  it('call a circle of redirects a loop', () => {
    const w = world([{ name: 'allspice', prefixes: { '/': 'r' } }]);
    const circle = function* (t: NameTarget): Task<Attempt<string>> {
      return redirect(`/${t.remainder}`, 0);
    };
    expect(w.run(w.view.perform('/f', 'object', circle))).toBe('nameLoop');
  });

  it('keep a working directory by its token, each process its own', () => {
    const w = world([{ name: 'allspice', prefixes: { '/': 'r' } }]);
    const enter = function* (): Task<Attempt<ReturnType<typeof token>>> {
      return done(token('directory'));
    };
    w.run(w.view.chdir('/a//b/', enter));
    const child = w.view.inherit();
    w.run(child.chdir('c', enter));
    expect([w.view.workingDirectory, child.workingDirectory]).toEqual(['/a/b', '/a/b/c']);
    expect(w.run(w.view.perform('x', 'object', where))).toBe('allspice directory x');
  });

  it('refuse two names that end at different servers, after settling both', () => {
    const w = world([
      { name: 'allspice', prefixes: { '/': 'r' } },
      { name: 'mint', prefixes: { '/src': 's' } },
    ]);
    const settle = function* (t: NameTarget): Task<Attempt<null>> {
      return t.authority === authority('allspice') && t.remainder.startsWith('src')
        ? redirect(`/${t.remainder}`, 4)
        : done(null);
    };
    const both = function* (a: NameTarget, b: NameTarget): Task<Attempt<string>> {
      if (a.authority === authority('allspice') && b.remainder.startsWith('src/'))
        return redirect(`/${b.remainder}`, 4);
      return done(`${a.authority} ${b.authority}`);
    };
    w.run(
      w.view.perform('/src/x', 'object', (t) =>
        t.authority === authority('allspice')
          ? (function* () {
              return redirect('/src/x', 4);
            })()
          : where(t),
      ),
    );
    expect(w.run(w.view.performTwo('/a', '/src/b', 'entry', settle, both))).toBe('crossDomain');
    expect(w.run(w.view.performTwo('/src/a', '/src/b', 'entry', settle, both))).toBe('mint mint');
  });

  it('answer broadcasts only for what they export', () => {
    const machine = testMachine();
    let own: ((prefix: string) => Task<unknown>) | undefined;
    const transport = {
      serve(_p: unknown, handler: typeof own) {
        own = handler;
        return () => {};
      },
    } as unknown as Transport;
    const naming = prefixNaming().create({ transport, wrapped: new Map() } as never, machine);
    const undo = naming.export({
      prefix: '/src',
      protocol: 'test',
      authority: authority('1'),
      root: token('t'),
    });
    const ask = (prefix: string): unknown => own?.(prefix).next().value;
    expect([ask('/src'), ask('/')]).toEqual([
      { prefix: '/src', protocol: 'test', authority: '1', root: 't' },
      silent,
    ]);
    undo();
    expect(ask('/src')).toBe(silent);
  });
});
