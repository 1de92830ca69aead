import type { Task } from '@backplane/engine';
import { arpLocator } from '@backplane/locator-arp';
import { prefixNaming } from '@backplane/naming-prefix';
import { KernelError, type Locator, type NameView, type Naming } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToLocator, conformsToNaming } from '../src/index.ts';
import { type Change, defective, failedBy, passOn } from './defective.ts';

const locator = (change: Change<Locator>, names: RegExp): readonly string[] =>
  failedBy(conformsToLocator({ boards: { locator: defective(arpLocator(), change) } }), names);

const locatorDefects: readonly (readonly [string, Change<Locator>, RegExp])[] = [
  ['forgets nothing', () => ({ forget: () => {} }), /^forget drops/],
  ['learns nothing', () => ({ learn: () => {} }), /^learn notes/],
  [
    'keeps silence in mind',
    (l) => {
      const silent = new Set<number>();
      return {
        *locate(host) {
          if (silent.has(host)) throw new KernelError('peerDown');
          try {
            return yield* l.locate(host);
          } catch (e) {
            silent.add(host);
            throw e;
          }
        },
      };
    },
    /^a host that was not there is found/,
  ],
  [
    'says of silence that there is no answer',
    (l) => ({
      *locate(host) {
        try {
          return yield* l.locate(host);
        } catch {
          throw new KernelError('noAnswer');
        }
      },
    }),
    /^a host that nobody answers for/,
  ],
  [
    'asks each time',
    (l) => ({ known: () => undefined, locate: (host) => askAgain(l, host) }),
    /^known tells/,
  ],
];

function* askAgain(l: Locator, host: Parameters<Locator['locate']>[0]): ReturnType<Locator['locate']> {
  l.forget(host);
  return yield* l.locate(host);
}

describe('the kit of the slot locator', () => {
  it('finds nothing wrong with a locator that is passed on unchanged', () => {
    expect(locator(() => ({}), /./)).toEqual([]);
  });

  for (const [what, change, names] of locatorDefects)
    it(`refuses one that ${what}`, () => {
      expect(locator(change, names)).toHaveLength(1);
    });
});

const naming = (change: Change<Naming>, names: RegExp): readonly string[] =>
  failedBy(conformsToNaming({ boards: { naming: defective(prefixNaming(), change) }, courses: 4 }), names);

/** Every view with a defect, those too that it hands down. */
const viewing = (change: (inside: NameView) => Partial<NameView>): Change<Naming> => {
  const wrap = (view: NameView): NameView =>
    passOn(view, { inherit: () => wrap(view.inherit()), ...change(view) });
  return (inside) => ({ view: () => wrap(inside.view()) });
};

const namingDefects: readonly (readonly [string, Change<Naming>, RegExp])[] = [
  [
    'takes every name for an object',
    viewing((v) => ({ perform: (name, _about, attempt) => v.perform(name, 'object', attempt) })),
    /^an entry never matches/,
  ],
  [
    'takes every name for an entry',
    viewing((v) => ({ perform: (name, _about, attempt) => v.perform(name, 'entry', attempt) })),
    /^random names/,
  ],
  [
    'has no name in a directory that one server has',
    viewing((v) => ({
      *performAll(name, attempt) {
        const value = yield* v.perform(name, 'object', attempt);
        return { whole: true, parts: [{ value, has: () => false }] };
      },
    })),
    /^a directory that one server has/,
  ],
  [
    'swallows what a server says of a whole directory',
    viewing((v) => ({
      *performAll(name, attempt) {
        try {
          const value = yield* v.perform(name, 'object', attempt);
          return { whole: true, parts: [{ value, has: () => true }] };
        } catch {
          return { whole: false, parts: [] };
        }
      },
    })),
    /^what is done to a whole directory/,
  ],
  [
    'does not give up',
    viewing((v) => ({
      perform: (name, about, attempt) =>
        v.perform(name, about, function* (t) {
          const outcome = yield* attempt(t);
          if (outcome.is !== 'unreachable') return outcome;
          while ((yield* outcome.wait()) !== 'retry');
          return outcome;
        }),
    })),
    /^unreachable/,
  ],
  [
    'follows redirects without counting them',
    viewing((v) => ({
      *perform(name, about, attempt) {
        for (let tries = 0; ; tries++) {
          try {
            return yield* v.perform(name, about, attempt);
          } catch (e) {
            if (!(e instanceof KernelError) || e.kind !== 'nameLoop' || tries > 3) throw e;
          }
        }
      },
    })),
    /^ten redirects/,
  ],
  [
    'renames over the bounds of domains',
    viewing((v) => ({
      *performTwo<T>(
        first: string,
        second: string,
        _about: 'object' | 'entry',
        _settle: unknown,
        attempt: Parameters<NameView['performTwo']>[4],
      ): Task<T> {
        const a = yield* v.perform(first, 'object', function* (t) {
          return { is: 'done', value: t };
        });
        const b = yield* v.perform(second, 'entry', function* (t) {
          return { is: 'done', value: t };
        });
        const outcome = yield* attempt(a, b);
        if (outcome.is === 'done') return outcome.value as T;
        throw new KernelError('notFound');
      },
    })),
    /^names in different domains/,
  ],
  ['shares one working directory', viewing((v) => ({ inherit: () => v })), /^inherit hands/],
  [
    'answers for ever',
    (n) => ({
      export(e) {
        n.export(e);
        return () => {};
      },
    }),
    /^what was exported and is taken back/,
  ],
];

describe('the kit of the slot naming', () => {
  it('finds nothing wrong with a naming that is passed on unchanged', () => {
    expect(naming(() => ({}), /./)).toEqual([]);
  });

  for (const [what, change, names] of namingDefects)
    it(`refuses one that ${what}`, () => {
      expect(naming(change, names)).toHaveLength(1);
    });
});
