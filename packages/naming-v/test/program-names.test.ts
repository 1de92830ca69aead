import { Engine, type Task } from '@backplane/engine';
import type { Hint } from '@backplane/file-service';
import { type About, authority, token } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { type NameCounts, type NameQuery, ProgramNames } from '../src/program-names.ts';

const hint = (prefix: string, manager: string): Hint => ({
  prefix,
  protocol: 'test',
  authority: authority(manager),
  root: token(`root of ${prefix}`),
});

/** Managers that may come and go. */
class Managers implements NameQuery {
  readonly counts: NameCounts = { lookups: 0, multicasts: 0, learned: 0, forgotten: 0 };
  readonly patienceNs = 5e9;
  readonly asked: string[] = [];
  hints: readonly Hint[];

  constructor(...hints: readonly Hint[]) {
    this.hints = hints;
  }

  *ask(name: string, _about: About): Task<readonly Hint[]> {
    this.asked.push(name);
    return this.hints.filter((h) => h.prefix === '/' || name === h.prefix || name.startsWith(`${h.prefix}/`));
  }
}

function run<T>(body: Task<T>): { readonly value: T; readonly seconds: number } {
  const engine = new Engine();
  const thread = engine.root.spawn('test', body);
  let value: T | undefined;
  engine.root.spawn(
    'join',
    (function* (): Task<void> {
      value = yield* thread.join();
    })(),
  );
  engine.run();
  return { value: value as T, seconds: engine.nowNs / 1e9 };
}

describe('the names of a program', () => {
  it('are asked for once, and go to the manager with the longest prefix', () => {
    const managers = new Managers(hint('/', 'root'), hint('/a/b', 'deep'), hint('/a', 'shallow'));
    const names = new ProgramNames(managers);
    const found = run(
      (function* (): Task<string[]> {
        const one = yield* names.locate('/a/b/c', 'object');
        const two = yield* names.locate('/a/b/d', 'object');
        return [one.authority, two.authority];
      })(),
    );
    expect(found.value).toEqual(['deep', 'deep']);
    expect(managers.asked).toEqual(['/a/b/c']);
  });

  it('are inherited by copy: what the child learns is its own', () => {
    const managers = new Managers(hint('/', 'root'));
    const parent = new ProgramNames(managers);
    run(parent.locate('/x', 'object'));
    const child = parent.inherit();
    expect(run(child.locate('/y', 'object')).value.authority).toBe('root');
    expect(managers.asked).toHaveLength(1);
    child.forget(hint('/', 'root'));
    managers.hints = [hint('/', 'another')];
    expect(run(child.locate('/y', 'object')).value.authority).toBe('another');
    expect(run(parent.locate('/y', 'object')).value.authority).toBe('root');
  });

  it('are asked for anew below a prefix that turned out to be another manager', () => {
    const managers = new Managers(hint('/', 'root'), hint('/b', 'other'));
    const names = new ProgramNames(managers);
    run(names.locate('/a', 'object'));
    names.learn('/b');
    expect(run(names.locate('/b/c', 'object')).value.authority).toBe('other');
    expect(managers.counts).toEqual({ lookups: 2, multicasts: 2, learned: 1, forgotten: 0 });
  });

  it('do not exist when nobody has ever answered', () => {
    const { value, seconds } = run(kindOf(new ProgramNames(new Managers()).locate('/a', 'object')));
    expect([value, seconds]).toEqual(['notFound', 0]);
  });

  it('are waited for when somebody has, and given up after a while', () => {
    const managers = new Managers(hint('/', 'root'));
    const names = new ProgramNames(managers);
    run(names.locate('/a', 'object'));
    names.forget(hint('/', 'root'));
    managers.hints = [];
    const { value, seconds } = run(kindOf(names.locate('/a', 'object')));
    expect([value, seconds]).toEqual(['noAnswer', 5]);
    managers.hints = [hint('/', 'the next life')];
    expect(run(names.locate('/a', 'object')).value.authority).toBe('the next life');
  });

  it('are not forgotten for the sake of a hint that is not the one in use', () => {
    const managers = new Managers(hint('/', 'root'));
    const names = new ProgramNames(managers);
    run(names.locate('/a', 'object'));
    names.forget(hint('/', 'somebody else'));
    run(names.locate('/a', 'object'));
    expect(managers.asked).toHaveLength(1);
  });
});
