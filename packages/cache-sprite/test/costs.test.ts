/** What is charged here: opens and closes, attributes, and one copy between a user and what is not the block cache. */
import { settle, type Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const costs = {
  copyNsPerByte: 3,
  componentLookupNs: 1000,
  clientNamingNs: 100,
  attributesNs: 120,
  openClientNs: 237,
  openServerNs: 238,
};
const kilobyte = 'k'.repeat(1000);

describe('charges', () => {
  /** Nanoseconds that an operation takes on a network and disk that cost nothing. */
  function* cost(w: World, operation: Task<unknown>): Task<number> {
    const startNs = w.engine.nowNs;
    yield* operation;
    yield* settle();
    return w.engine.nowNs - startNs;
  }
  /** Without the charges, the same operation takes this long: what remains is charged. */
  const charged = (body: (w: World) => Task<unknown>, prepare: (w: World) => Task<void>): number => {
    const [with_, without] = [costs, {}].map((c) => {
      const w = new World({ costs: c });
      return w.drive(function* () {
        yield* prepare(w);
        yield* settle();
        return yield* cost(w, body(w));
      });
    });
    return (with_ ?? 0) - (without ?? 0);
  };
  const nothing = function* (): Task<void> {};
  const made = function* (w: World): Task<void> {
    yield* w.server.put('/f', kilobyte);
  };

  it('for an open and its close: both halves of each, the name once', () => {
    const open = function* (w: World): Task<void> {
      yield* (yield* w[0].open('/f', { read: true })).close();
    };
    expect(charged(open, made)).toBe(2 * 237 + 2 * 238 + 100 + 1000);
  });

  it('for the same at the server itself: no more and no less', () => {
    const open = function* (w: World): Task<void> {
      yield* (yield* w.server.open('/f', { read: true })).close();
    };
    expect(charged(open, made)).toBe(2 * 237 + 2 * 238 + 100 + 1000);
  });

  it('for a stat: the name and the attributes', () => {
    expect(charged((w) => w[0].stat('/f'), made)).toBe(100 + 1000 + 120);
  });

  const openFor = (how: { readonly read?: boolean; readonly write?: boolean }, caching: boolean) => {
    const perform = (w: World): Task<unknown> => {
      const f = opened.get(w);
      if (f === undefined) throw new Error('not open');
      return how.read === true ? f.read() : f.write(kilobyte);
    };
    const opened = new Map<World, { read(): Task<string>; write(s: string): Task<number> }>();
    const prepare = function* (w: World): Task<void> {
      yield* made(w);
      const f = yield* w[0].open('/f', how);
      if (!caching) yield* w[1].open('/f', { read: true, write: how.read === true });
      if (how.read === true) yield* f.read();
      opened.set(w, f);
    };
    return charged(perform, prepare);
  };

  it('for a read: one copy to the user, cached or not', () => {
    expect(openFor({ read: true }, true)).toBe(3000);
    expect(openFor({ read: true }, false)).toBe(3000);
  });

  it('for a write: one copy into the message, or none, since the block cache charges the one into its block', () => {
    expect(openFor({ write: true }, false)).toBe(3000);
    expect(openFor({ write: true }, true)).toBe(0);
  });

  it('nothing where nothing costs anything', () => {
    expect(charged((w) => w[0].get('/f'), made)).toBeGreaterThan(0);
    expect(charged(nothing, made)).toBe(0);
  });
});
