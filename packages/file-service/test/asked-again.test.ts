/** Operations that a server may have done before it fell silent. */
import type { Task } from '@backplane/engine';
import { done, isKernelError, KernelError, type NameOps, type TwoNameOp } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { type CallAuthority, RemoteNames } from '../src/index.ts';
import { procedures, somebody, target } from './names.ts';

/** What a server has: by name, the object and its text if it is a link. */
type There = Readonly<
  Record<string, { readonly type: string; readonly identity?: string; readonly text?: string }>
>;

/** Answers every change with an error, and questions by what is there. */
const server = (error: 'exists' | 'notFound' | 'permission', there: There): CallAuthority =>
  function* (_, { name }, request): Task<never> {
    const { path } = request as { readonly path?: string };
    if (name !== 'stat' && name !== 'readLink') throw new KernelError(error);
    const object = there[path ?? ''];
    if (object === undefined) throw new KernelError('notFound');
    return done(name === 'stat' ? object : object.text) as never; // boundary: whatever was asked
  };

/** "done", or the error that comes out. */
function outcomeOf(body: (names: RemoteNames) => Task<{ readonly is: string }>, call: CallAuthority): string {
  const machine = testMachine();
  let said = 'never ends';
  machine.scope.spawn(
    'test',
    (function* (): Task<void> {
      try {
        said = (yield* body(new RemoteNames(machine, procedures, call))).is;
      } catch (e) {
        said = isKernelError(e) ? e.kind : String(e);
      }
    })(),
  );
  machine.engine.run();
  return said;
}

const one = <K extends keyof NameOps>(
  op: K,
  argument: NameOps[K]['in'],
  error: 'exists' | 'notFound' | 'permission',
  there: There,
  again = true,
): string =>
  outcomeOf((names) => names.name(target('a', again), op, argument, somebody), server(error, there));

const two = (op: TwoNameOp, error: 'exists' | 'notFound', there: There, again = true): string =>
  outcomeOf(
    (names) => names.nameTwo(op, target('a', again), target('b', again), somebody),
    server(error, there),
  );

describe('operations that are asked again', () => {
  it('have removed a name that is not there', () => {
    expect(one('unlink', {}, 'notFound', {})).toBe('done');
    expect(one('removeDirectory', {}, 'notFound', {})).toBe('done');
  });

  it('have made the directory that is there', () => {
    expect(one('makeDirectory', { mode: 0o755 }, 'exists', { a: { type: 'directory' } })).toBe('done');
    expect(one('makeDirectory', { mode: 0o755 }, 'exists', { a: { type: 'file' } })).toBe('exists');
  });

  it('have made the link that has their text', () => {
    const link = { target: 'text', remote: false };
    const there = (text: string): There => ({ a: { type: 'symlink', text } });
    expect(one('makeLink', link, 'exists', there('text'))).toBe('done');
    expect(one('makeLink', link, 'exists', there('other'))).toBe('exists');
    expect(one('makeLink', { ...link, remote: true }, 'exists', there('text'))).toBe('exists');
    expect(one('makeLink', { ...link, remote: true }, 'exists', { a: { type: 'remoteLink' } })).toBe('done');
  });

  it('have renamed what is gone, if the other name is there', () => {
    expect(two('rename', 'notFound', { b: { type: 'file' } })).toBe('done');
    expect(two('rename', 'notFound', {})).toBe('notFound');
  });

  it('have linked two names that are of one file', () => {
    const file = (identity: string) => ({ type: 'file', identity });
    expect(two('link', 'exists', { a: file('1'), b: file('1') })).toBe('done');
    expect(two('link', 'exists', { a: file('1'), b: file('2') })).toBe('exists');
  });

  it('fail as ever with any other error', () => {
    expect(one('unlink', {}, 'permission', {})).toBe('permission');
    expect(one('stat', { follow: true }, 'notFound', {})).toBe('notFound');
    expect(one('makeDirectory', { mode: 0o755 }, 'notFound', {})).toBe('notFound');
  });
});

describe('a rename that is asked again, and answered', () => {
  const renamed = (there: There, again: boolean): { readonly said: string; readonly removed: string[] } => {
    const removed: string[] = [];
    const call: CallAuthority = function* (_, { name }, request): Task<never> {
      const { path = '' } = request as { readonly path?: string };
      if (name === 'rename') return done(null) as never; // boundary: whatever was asked
      if (there[path] === undefined) throw new KernelError('notFound');
      if (name === 'unlink') removed.push(path);
      return done(there[path]) as never;
    };
    const said = outcomeOf(
      (names) => names.nameTwo('rename', target('a', again), target('b', again), somebody),
      call,
    );
    return { said, removed };
  };
  const file = (identity: string) => ({ type: 'file', identity });

  it('takes the first name away where a crash has left both', () => {
    expect(renamed({ a: file('1'), b: file('1') }, true)).toEqual({ said: 'done', removed: ['a'] });
    expect(renamed({ a: file('1'), b: file('1') }, false)).toEqual({ said: 'done', removed: [] });
  });

  it('leaves what has the name by now', () => {
    expect(renamed({ b: file('1') }, true)).toEqual({ said: 'done', removed: [] });
    expect(renamed({ a: file('2'), b: file('1') }, true)).toEqual({ said: 'done', removed: [] });
  });
});

describe('operations that are asked once', () => {
  it('fail with what the server answers', () => {
    expect(one('unlink', {}, 'notFound', {}, false)).toBe('notFound');
    expect(one('makeDirectory', { mode: 0o755 }, 'exists', { a: { type: 'directory' } }, false)).toBe(
      'exists',
    );
    expect(two('rename', 'notFound', { b: { type: 'file' } }, false)).toBe('notFound');
  });
});
