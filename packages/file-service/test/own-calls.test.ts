import type { Task } from '@backplane/engine';
import { hostId, inParameters, KernelError, type Procedure, silent, type Transport } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { record } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { OwnCalls } from '../src/index.ts';

const double: Procedure<number, number> = {
  id: 200,
  name: 'double',
  request: inParameters(
    record(
      'n',
      (to, n) => void to.u32(n),
      (from) => from.u32(),
    ),
  ),
  reply: inParameters(
    record(
      'n',
      (to, n) => void to.u32(n),
      (from) => from.u32(),
    ),
  ),
};

/** A transport that notes what it is asked for, and answers for another host. */
function world(): { readonly calls: OwnCalls; readonly log: string[]; run<T>(body: () => Task<T>): T } {
  const machine = testMachine({ host: 3, bootId: 77 });
  const log: string[] = [];
  const transport = {
    self: machine.host,
    *call(to: number, p: { readonly name: string }, q: number) {
      log.push(`${p.name} at ${to}`);
      return q + 1;
    },
    serve: (p: { readonly name: string }) => {
      log.push(`serves ${p.name}`);
      return () => void log.push(`stops ${p.name}`);
    },
  } as unknown as Transport;
  return {
    calls: new OwnCalls(transport, machine),
    log,
    run<T>(body: () => Task<T>): T {
      const results: T[] = [];
      machine.scope.spawn(
        'test',
        (function* (): Task<void> {
          results.push(yield* body());
        })(),
      );
      machine.engine.run();
      return results[0] as T;
    },
  };
}

describe('calls of a host to its own server half', () => {
  it('go to the handler, which hears who calls; others go out', () => {
    const w = world();
    const callers: unknown[] = [];
    w.calls.serve(double, function* (n, from) {
      callers.push(from);
      return 2 * n;
    });
    const seen = w.run(function* () {
      return [yield* w.calls.call(hostId(3), double, 21), yield* w.calls.call(hostId(4), double, 21)];
    });
    expect(seen).toEqual([42, 22]);
    expect(callers).toEqual([{ host: 3, bootId: 77 }]);
    expect(w.log).toEqual(['serves double', 'double at 4']);
  });

  it('fail as calls over a transport do: with the handler’s error, without a handler, without an answer', () => {
    const w = world();
    const kinds = w.run(function* () {
      const found: string[] = [];
      const attempt = function* (): Task<void> {
        try {
          yield* w.calls.call(hostId(3), double, 1);
        } catch (e) {
          found.push((e as KernelError).kind);
        }
      };
      yield* attempt();
      const undo = w.calls.serve(double, function* () {
        throw new KernelError('noSpace');
      });
      yield* attempt();
      undo();
      yield* attempt();
      w.calls.serve(double, function* () {
        return silent;
      });
      yield* attempt();
      return found;
    });
    expect(kinds).toEqual(['unsupported', 'noSpace', 'unsupported', 'noAnswer']);
  });
});
