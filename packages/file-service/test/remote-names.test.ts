import type { Task } from '@backplane/engine';
import { authority, done, isKernelError, KernelError, staleName } from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { type CallAuthority, callsToHosts, RemoteNames, type Unanswered } from '../src/index.ts';
import { procedures, somebody, target } from './names.ts';

/** A task to its end. */
function run<T>(body: (machine: TestMachine) => Task<T>): T {
  const machine = testMachine();
  const ended: { value?: T } = {};
  machine.scope.spawn(
    'test',
    (function* (): Task<void> {
      ended.value = yield* body(machine);
    })(),
  );
  machine.engine.run();
  if (!('value' in ended)) throw new Error('it never ends');
  return ended.value as T;
}

describe('names at a server', () => {
  it('are one call to the authority, with the path and who asks', () => {
    const asked: unknown[] = [];
    const call: CallAuthority = function* (to, procedure, request): Task<Unanswered> {
      asked.push({ to, name: procedure.name, request });
      return staleName;
    };
    const outcome = run((machine) =>
      new RemoteNames(machine, procedures, call).name(target('a/b'), 'unlink', {}, somebody),
    );
    expect(outcome).toEqual(staleName);
    const request = { start: { domain: 1, number: 2, generation: 3 }, path: 'a/b', who: somebody };
    expect(asked).toEqual([
      { to: authority('7'), name: 'unlink', request: { ...request, machineType: 'test', argument: {} } },
    ]);
  });
});

describe('calls where authorities are hosts', () => {
  const outcomeOf = (kind: 'peerDown' | 'recovering' | 'permission' | null) => {
    const hosts: number[] = [];
    const transport = {
      *call(host: number): Task<never> {
        hosts.push(host);
        if (kind !== null) throw new KernelError(kind);
        return done(null) as never; // boundary: whatever was asked
      },
    };
    const awaited: number[] = [];
    const calls = callsToHosts(transport as never, function* (host) {
      awaited.push(host);
      return 'retry';
    });
    return run(function* (machine): Task<unknown> {
      try {
        const outcome = yield* new RemoteNames(machine, procedures, calls).nameTwo(
          'link',
          target('a'),
          target('b'),
          somebody,
        );
        if (outcome.is !== 'unreachable') return { outcome: outcome.is, hosts, awaited };
        const { perhapsDone } = outcome;
        return { outcome: outcome.is, perhapsDone, verdict: yield* outcome.wait(), hosts, awaited };
      } catch (e) {
        return { thrown: isKernelError(e) ? e.kind : e };
      }
    });
  };

  it('go to the host, and its answer is the outcome', () => {
    expect(outcomeOf(null)).toEqual({ outcome: 'done', hosts: [7], awaited: [] });
  });

  it.each(['peerDown', 'recovering'] as const)(
    'are unreachable at one that is %s, and wait for it',
    (kind) => {
      const perhapsDone = kind === 'peerDown';
      const wanted = { outcome: 'unreachable', perhapsDone, verdict: 'retry', hosts: [7], awaited: [7] };
      expect(outcomeOf(kind)).toEqual(wanted);
    },
  );

  it('throw what the server answers', () => {
    expect(outcomeOf('permission')).toEqual({ thrown: 'permission' });
  });
});
