import type { Task } from '@backplane/engine';
import { type Attempt, done, KernelError, type NameTarget, staleName } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import type { Gathered } from '../src/gathering.ts';
import { ProgramNames } from '../src/program-names.ts';
import { ProgramView } from '../src/program-view.ts';
import type { Share } from '../src/share.ts';
import { handlerOf, type Manager, Managers, manager, registration } from './managers.ts';

const early: Share = { from: '', below: 'm' };
const late: Share = { from: 'm', below: '' };

const sharer = (name: string, share: Share, handler: string): Manager => {
  const { answer } = manager('/home', name);
  return {
    answer: { ...answer, lead: { ...answer.lead, shared: true as const } },
    share,
    handler: handlerOf(handler),
  };
};
const both = [sharer('early', early, 'a'), sharer('late', late, 'b')];
const registered = (share: Share, handler: string) =>
  registration('/home', { share, handler: handlerOf(handler) });

/** Every manager says its name, of the directory itself, as long as it is not among these. */
const saying = (silent: readonly string[] = []) =>
  function* ({ authority, remainder }: NameTarget): Task<Attempt<string>> {
    return silent.includes(authority) ? staleName : done(`${authority} ${remainder}`);
  };

function gathered(
  managers: Managers,
  { path = '/home', silent = [] as readonly string[] } = {},
): Gathered<string> {
  const view = new ProgramView(new ProgramNames(managers));
  return managers.run(view.performAll(path, saying(silent)));
}
const said = ({ parts }: Gathered<string>): readonly string[] => parts.map(({ value }) => value);

describe('a directory that several managers share, asked as a whole', () => {
  it('is asked of each of them, and the parts come in the order of their names', () => {
    const found = gathered(new Managers(...both.toReversed()));
    expect([found.whole, said(found)]).toEqual([true, ['early ', 'late ']]);
  });

  it('says of each part which names are its own', () => {
    const [first, second] = gathered(new Managers(...both)).parts;
    const names = ['ann', 'lz', 'm', 'zoe'];
    expect(names.filter((n) => first?.has(n))).toEqual(['ann', 'lz']);
    expect(names.filter((n) => second?.has(n))).toEqual(['m', 'zoe']);
  });

  it('is one part where one manager has all of it, and below a shared one', () => {
    const one = gathered(new Managers(manager('/', 'root')), { path: '/src' });
    expect([one.whole, said(one), one.parts[0]?.has('anything')]).toEqual([true, ['root src'], true]);
    const below = gathered(new Managers(...both), { path: '/home/zoe' });
    expect([below.whole, said(below)]).toEqual([true, ['late zoe']]);
  });

  it('is found by any name of it', () => {
    for (const path of ['/home/', '/home/.', '/home//./'])
      expect(said(gathered(new Managers(...both), { path }))).toEqual(['early ', 'late ']);
  });

  it('is not whole while some names are in the range of nobody, and no directory knows whose they are', () => {
    const managers = new Managers(sharer('early', early, 'a'));
    const found = gathered(managers);
    expect([found.whole, said(found)]).toEqual([false, ['early ']]);
    expect(managers.asked.filter((q) => q.startsWith('sharers'))).toHaveLength(3);
  });

  it('is whole all the same when a directory is sure that the other names are nobody’s', () => {
    const managers = new Managers(sharer('early', early, 'a'));
    managers.known = { directory: 'sure', registrations: [registered(early, 'a')] };
    const found = gathered(managers);
    expect([found.whole, managers.nowNs]).toEqual([true, 0]);
  });

  it('has a manager that the directory names asked by itself when the group has not heard it', () => {
    const managers = new Managers(sharer('early', early, 'a'));
    managers.aside = [sharer('late', late, 'b')];
    managers.known = { directory: 'unsure', registrations: [registered(early, 'a'), registered(late, 'b')] };
    const found = gathered(managers);
    expect([found.whole, said(found), managers.nowNs]).toEqual([true, ['early ', 'late '], 0]);
  });

  it('waits for a manager that is known and silent, and is a part when patience is at its end', () => {
    const managers = new Managers(sharer('early', early, 'a'));
    managers.known = { directory: 'sure', registrations: [registered(early, 'a'), registered(late, 'b')] };
    const found = gathered(managers);
    expect([found.whole, said(found), managers.nowNs]).toEqual([false, ['early '], 5e9]);
  });

  it('asks nobody twice who has answered, and everybody again who has not', () => {
    const managers = new Managers(...both);
    managers.known = { directory: 'sure', registrations: [registered(early, 'a'), registered(late, 'b')] };
    const asked: string[] = [];
    const view = new ProgramView(new ProgramNames(managers));
    const found = managers.run(
      view.performAll<string>('/home', function* ({ authority }) {
        asked.push(authority);
        return authority === 'late' && asked.length < 5 ? staleName : done(authority);
      }),
    );
    expect(found.whole).toBe(true);
    expect(asked.filter((a) => a === 'early')).toHaveLength(1);
    expect(asked.filter((a) => a === 'late')).toHaveLength(4);
  });

  it('does not exist where nobody answers, and throws what a manager throws', () => {
    const managers = new Managers();
    const view = new ProgramView(new ProgramNames(managers));
    expect(managers.run(kindOf(view.performAll('/home', saying())))).toBe('notFound');
    const refusing = new Managers(...both);
    const other = new ProgramView(new ProgramNames(refusing));
    const refused = other.performAll('/home', function* (): Task<Attempt<string>> {
      throw new KernelError('permission');
    });
    expect(refusing.run(kindOf(refused))).toBe('permission');
  });

  it('believes no manager that does not show the capability of the prefix', () => {
    const managers = new Managers(...both);
    managers.checks = true;
    managers.known = {
      directory: 'sure',
      registrations: [
        { ...registered(early, 'a'), image: registration('/home', { phrase: 'secret' }).image },
      ],
    };
    expect(
      managers.run(kindOf(new ProgramView(new ProgramNames(managers)).performAll('/home', saying()))),
    ).toBe('noAnswer');
    expect(managers.counts.counterfeits).toBeGreaterThan(0);
  });
});
