import type { Task } from '@backplane/engine';
import { kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { ProgramNames } from '../src/program-names.ts';
import { handlerOf, hint, type Manager, Managers, manager, registration } from './managers.ts';

/** Whom a name leads to, or why it does not. */
function* whom(names: ProgramNames, path: string, about: 'object' | 'entry' = 'object'): Task<string> {
  let authority = '';
  const kind = yield* kindOf(
    (function* (): Task<void> {
      const found = yield* names.locate(path, about);
      authority = 'hint' in found ? `${found.hint.authority} as ${found.path}` : found.authority;
    })(),
  );
  return kind === 'ok' ? authority : kind;
}

const world = (managers: Managers) => {
  const names = new ProgramNames(managers);
  return { managers, names, whom: (path: string) => managers.run(whom(names, path)) };
};

describe('the names of a program', () => {
  it('are asked for once, and go to the manager with the longest prefix', () => {
    const w = world(new Managers(manager('/', 'root'), manager('/a/b', 'deep'), manager('/a', 'shallow')));
    expect([w.whom('/a/b/c'), w.whom('/a/b/d')]).toEqual(['deep', 'deep']);
    expect(w.managers.asked).toEqual(['everybody /a/b/c']);
  });

  it('are inherited by copy: what the child learns is its own', () => {
    const { managers, names: parent, whom: byParent } = world(new Managers(manager('/', 'root')));
    byParent('/x');
    const child = parent.inherit();
    expect(managers.run(whom(child, '/y'))).toBe('root');
    expect(managers.asked).toHaveLength(1);
    child.forget(hint('/', 'root'));
    managers.managers = [manager('/', 'another')];
    expect(managers.run(whom(child, '/y'))).toBe('another');
    expect(byParent('/y')).toBe('root');
  });

  it('are asked for anew below a prefix that turned out to be another manager', () => {
    const w = world(new Managers(manager('/', 'root'), manager('/b', 'other')));
    w.whom('/a');
    w.names.learn('/b');
    expect(w.whom('/b/c')).toBe('other');
    expect(w.managers.counts).toMatchObject({ lookups: 2, multicasts: 2, lookupsMulticast: 2, learned: 1 });
  });

  it('do not exist when nobody has ever answered, and no replica of the directory does', () => {
    const w = world(new Managers());
    expect([w.whom('/a'), w.managers.nowNs]).toEqual(['notFound', 0]);
  });

  it('are waited for when somebody has, and given up after a while', () => {
    const w = world(new Managers(manager('/', 'root')));
    w.whom('/a');
    w.names.forget(hint('/', 'root'));
    w.managers.managers = [];
    expect([w.whom('/a'), w.managers.nowNs]).toEqual(['noAnswer', 5e9]);
    w.managers.managers = [manager('/', 'the next life')];
    expect(w.whom('/a')).toBe('the next life');
  });

  it('are not forgotten for the sake of a hint that is not the one in use', () => {
    const w = world(new Managers(manager('/', 'root')));
    w.whom('/a');
    w.names.forget(hint('/', 'somebody else'));
    w.whom('/a');
    expect(w.managers.asked).toHaveLength(1);
  });
});

describe('the directory, asked by a program', () => {
  it('is not asked while somebody answers', () => {
    const w = world(new Managers(manager('/', 'root')));
    w.managers.known = { directory: 'sure', registrations: [] };
    expect(w.whom('/a')).toBe('root');
    expect(w.managers.asked).toEqual(['everybody /a']);
  });

  it('says at once that there is no such prefix, if it is sure', () => {
    const w = world(new Managers());
    w.managers.known = { directory: 'sure', registrations: [] };
    expect([w.whom('/a'), w.managers.nowNs]).toEqual(['notFound', 0]);
  });

  it('makes a manager that it names be waited for, though nobody here has ever used it', () => {
    const w = world(new Managers());
    w.managers.known = { directory: 'unsure', registrations: [registration('/a')] };
    expect([w.whom('/a/b'), w.managers.nowNs]).toEqual(['noAnswer', 5e9]);
  });

  it('makes the question to everybody a brief one, unless it turns out to be silent', () => {
    const w = world(new Managers(manager('/a', 'slow')));
    w.managers.slow = true;
    w.managers.known = { directory: 'sure', registrations: [] };
    expect(w.whom('/a/b')).toBe('notFound');
    w.managers.surprise = true;
    w.managers.known = { directory: 'silent', registrations: [] };
    expect(w.whom('/a/b')).toBe('slow');
    expect(w.managers.asked.map((q) => q.split(' ')[0])).toEqual([
      ...['everybody', 'directory', 'everybody', 'directory', 'everybody'],
    ]);
  });

  it('names a manager that is then asked directly; everybody is asked again less and less often', () => {
    const w = world(new Managers());
    w.managers.known = { directory: 'sure', registrations: [registration('/a')] };
    w.whom('/a/b');
    expect(w.managers.asked.map((q) => q.split(' ')[0])).toEqual([
      ...['everybody', 'directory', 'a', 'everybody', 'directory', 'a'],
      ...['directory', 'a', 'everybody', 'directory', 'a', 'directory', 'a', 'directory', 'a'],
    ]);
  });

  it('leads to a manager whom the question to everybody does not reach', () => {
    const w = world(new Managers());
    w.managers.aside = [{ ...manager('/a', 'far'), handler: handlerOf('a') }];
    w.managers.known = { directory: 'sure', registrations: [registration('/a')] };
    expect(w.whom('/a/b')).toBe('far');
  });

  it('does not lead back to a manager that has said "not mine"', () => {
    const w = world(new Managers(manager('/', 'root')));
    w.whom('/a');
    w.names.learn('/b');
    w.managers.managers = [];
    w.managers.known = { directory: 'sure', registrations: [registration('/')] };
    expect(w.whom('/b/c')).toBe('notFound');
  });

  it('gives the names of a prefix that was withdrawn to the prefix around it', () => {
    const w = world(new Managers(manager('/', 'root'), manager('/a', 'deep')));
    expect(w.whom('/a/b')).toBe('deep');
    w.names.forget(hint('/a', 'deep'));
    w.managers.managers = [manager('/', 'root')];
    w.managers.known = { directory: 'sure', registrations: [registration('/')] };
    expect(w.whom('/a/b')).toBe('root');
  });
});

describe('an answer that is checked', () => {
  const checked = (...managers: readonly Manager[]) => {
    const w = world(new Managers(...managers));
    w.managers.checks = true;
    w.managers.known = {
      directory: 'sure',
      registrations: [registration('/'), registration('/a', { phrase: 'secret' })],
    };
    return w;
  };

  it('is believed with the capability of the prefix, and of a prefix that has none', () => {
    const w = checked(manager('/', 'root'), manager('/a', 'true', { phrase: 'secret' }));
    expect([w.whom('/a/x'), w.whom('/b')]).toEqual(['true', 'root']);
    expect(w.managers.counts.counterfeits).toBe(0);
  });

  it('is dropped without it, and counted: the next best is taken', () => {
    const w = checked(
      manager('/a', 'false', { phrase: 'guess' }),
      manager('/a', 'true', { phrase: 'secret' }),
    );
    expect([w.whom('/a/x'), w.managers.counts.counterfeits]).toEqual(['true', 1]);
  });

  it('is dropped for a prefix of which the directory is sure that there is none', () => {
    const w = checked(manager('/a/x', 'false'), manager('/a', 'true', { phrase: 'secret' }));
    expect([w.whom('/a/x/y'), w.managers.counts.counterfeits]).toEqual(['true', 1]);
  });

  it('is believed while no replica can tell', () => {
    const w = checked(manager('/c', 'new'));
    w.managers.known = { directory: 'unsure', registrations: [] };
    expect(w.whom('/c/d')).toBe('new');
    w.managers.known = { directory: 'silent', registrations: [] };
    w.managers.managers = [manager('/d', 'newer')];
    expect(w.whom('/d')).toBe('newer');
  });

  it('of the manager that the directory names is checked, too', () => {
    const w = checked();
    w.managers.aside = [{ ...manager('/a', 'false'), handler: handlerOf('a') }];
    expect(w.whom('/a/x')).toBe('noAnswer');
    expect(w.managers.counts.counterfeits).toBeGreaterThan(0);
  });
});

describe('an alias', () => {
  const alias = (prefix: string, substitute: string) => ({
    answer: { lead: { prefix, substitute }, capability: '' },
  });

  it('stands for another prefix, and both are asked for once', () => {
    const w = world(
      new Managers(manager('/', 'root'), manager('/sys', 'system'), alias('/bin', '/sys/v/bin')),
    );
    expect([w.whom('/bin/ls'), w.whom('/bin/cp')]).toEqual([
      'system as /sys/v/bin/ls',
      'system as /sys/v/bin/cp',
    ]);
    expect(w.whom('/bin')).toBe('system as /sys/v/bin');
    expect(w.managers.counts).toMatchObject({ aliases: 3, multicasts: 2, lookups: 3, lookupsMulticast: 1 });
  });

  it('is no entry of itself: what is done to the entry is done where it lies', () => {
    const w = world(new Managers(manager('/', 'root'), alias('/bin', '/sys')));
    expect(w.managers.run(whom(w.names, '/bin', 'entry'))).toBe('root');
  });

  it('is followed eight times, and the ninth is nameLoop', () => {
    const chain = (links: number) =>
      Array.from({ length: links }, (_, i) => alias(`/l${i}`, i === links - 1 ? '/end' : `/l${i + 1}`));
    expect(world(new Managers(manager('/end', 'end'), ...chain(8))).whom('/l0/x')).toBe('end as /end/x');
    expect(world(new Managers(manager('/end', 'end'), ...chain(9))).whom('/l0/x')).toBe('nameLoop');
    expect(world(new Managers(alias('/a', '/a'))).whom('/a/x')).toBe('nameLoop');
  });

  it('is forgotten when it leads nowhere, and when the manager that it led to is', () => {
    const w = world(new Managers(manager('/new', 'new'), alias('/bin', '/old')));
    expect(w.whom('/bin/ls')).toBe('notFound');
    w.managers.managers = [manager('/new', 'new'), manager('/newer', 'newer'), alias('/bin', '/new')];
    expect(w.whom('/bin/ls')).toBe('new as /new/ls');
    w.managers.managers = [manager('/newer', 'newer'), alias('/bin', '/newer')];
    w.names.forget(hint('/new', 'new'));
    expect(w.whom('/bin/ls')).toBe('newer as /newer/ls');
  });

  it('is known to the directory when its manager is silent', () => {
    const w = world(new Managers(manager('/sys', 'system')));
    w.managers.known = { directory: 'sure', registrations: [registration('/bin', { substitute: '/sys' })] };
    expect(w.whom('/bin/ls')).toBe('system as /sys/ls');
  });

  it('that makes a name too long is nameTooLong', () => {
    const w = world(new Managers(alias('/a', `/${'x'.repeat(1000)}`)));
    expect(w.whom(`/a/${'y'.repeat(100)}`)).toBe('nameTooLong');
  });
});

describe('a directory that several managers share', () => {
  const sharer = (prefix: string, name: string, from: string, below: string, digit = 'a') => ({
    answer: { lead: { ...hint(prefix, name), shared: true as const }, capability: '' },
    share: { from, below },
    handler: handlerOf(digit),
  });
  const shared = () =>
    world(new Managers(sharer('/home', 'first', '', 'm'), sharer('/home', 'second', 'm', '', 'b')));

  it('has each name at one of them; what is known of one name says nothing of another', () => {
    const w = shared();
    expect([w.whom('/home/ann/x'), w.whom('/home/zoe'), w.whom('/home/ann/y')]).toEqual([
      'first',
      'second',
      'first',
    ]);
    // The second question went only to those who share it.
    expect(w.managers.asked).toEqual(['everybody /home/ann/x', 'sharers of /home /home/zoe']);
  });

  it('itself is at any of them, and that is not taken for its names', () => {
    const w = shared();
    expect([w.whom('/home'), w.whom('/home/zoe'), w.whom('/home')]).toEqual(['first', 'second', 'first']);
    expect(w.managers.asked).toHaveLength(2);
  });

  it('has entries that are made at the one that would have them', () => {
    const w = shared();
    expect(w.managers.run(whom(w.names, '/home/zoe', 'entry'))).toBe('second');
    expect(w.whom('/home/zoe/x')).toBe('second');
    expect(w.managers.asked).toHaveLength(1);
  });

  it('may have another manager within: entries are one’s, and what is behind them the other’s', () => {
    const w = shared();
    w.managers.managers = [...w.managers.managers, manager('/home/zoe', 'own')];
    expect(w.whom('/home/zoe/x')).toBe('own');
    expect(w.managers.run(whom(w.names, '/home/zoe', 'entry'))).toBe('second');
    expect([w.whom('/home/zoe'), w.managers.run(whom(w.names, '/home/zoe', 'entry'))]).toEqual([
      'own',
      'second',
    ]);
  });

  it('is known to the directory by ranges: a name that nobody has is notFound, one of a dead manager noAnswer', () => {
    const w = shared();
    w.whom('/home/ann');
    w.managers.managers = [sharer('/home', 'first', '', 'm')];
    w.managers.known = {
      directory: 'sure',
      registrations: [
        registration('/home', { share: { from: '', below: 'm' } }),
        registration('/home', { share: { from: 'm', below: 'x' }, handler: handlerOf('b') }),
      ],
    };
    expect([w.whom('/home/mary'), w.whom('/home/zoe')]).toEqual(['noAnswer', 'notFound']);
    expect(w.whom('/home/bob')).toBe('first');
  });
});
