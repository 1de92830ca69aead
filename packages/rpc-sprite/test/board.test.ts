import { ms, settle, type Task, type TraceEvent } from '@backplane/engine';
import { type BackplaneError, isBackplaneError, type Payload, silent } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { echo, send, spriteRpc } from '../src/index.ts';
import { kindOf, nothing, other, payload, work } from './calls.ts';
import { faulty } from './link.ts';
import { noCosts, sun3, World } from './world.ts';

const errorOf = (f: () => unknown): BackplaneError => {
  try {
    f();
  } catch (e) {
    if (isBackplaneError(e)) return e;
    throw e;
  }
  throw new Error('nothing was thrown');
};

describe('the board', () => {
  it('says the same in its code and in its manifest', () => {
    expect(spriteRpc.componentName).toBe(manifest.name);
    expect(spriteRpc.version).toBe(manifest.version);
    expect(spriteRpc.requires).toEqual(manifest.backplane.requires);
    expect([spriteRpc.slot]).toEqual(manifest.backplane.provides);
    expect(spriteRpc().speaks).toEqual(['sprite-rpc']);
    expect(spriteRpc({ carrier: 'internet' }).serves).toEqual([{ protocol: 'sprite-rpc-ip' }]);
  });

  it('refuses options that are wrong', () => {
    expect(errorOf(() => spriteRpc({ servers: 71 })).code).toBe('WRONG_OPTION');
    expect(errorOf(() => new World().host('a', { servers: 4, serversMax: 3 })).code).toBe('WRONG_OPTION');
    const wrongName = errorOf(() => new World().host('a', { nic: 'eth1' }));
    expect(wrongName.code).toBe('WRONG_OPTION');
    expect(wrongName.hint).toContain('eth0');
  });

  it('names the empty slot when the carrier has none', () => {
    const board = spriteRpc({ carrier: 'internet' });
    const { machine } = new World().host('a');
    const granted = { nic: new Map(), locator: {}, processors: {}, internet: undefined };
    const { code, data } = errorOf(() => board.create(granted as never, machine));
    expect([code, data['slot']]).toEqual(['SLOT_EMPTY', 'internet']);
  });

  it('serves a procedure once, until that is taken back', () => {
    const { transport } = new World().host('a');
    const handler = function* (): Task<Payload> {
      return nothing;
    };
    const undo = transport.serve(work, handler);
    const { code, data } = errorOf(() => transport.serve({ ...other, id: work.id }, handler));
    expect([code, data['name'], data['other']]).toEqual(['PROCEDURE_TAKEN', 'other', 'work']);
    undo();
    undo();
    transport.serve({ ...other, id: work.id }, handler);
    expect(errorOf(() => transport.serve({ ...other, id: echo.id }, handler)).data['other']).toBe('echo');
  });

  it('refuses a message beyond its limits', () => {
    const world = new World();
    const a = world.host('a');
    const b = world.host('b');
    expect([a.transport.maxParametersBytes, a.transport.maxDataBytes]).toEqual([1024, 16384]);
    world.drive(() => a.transport.call(b.id, send, payload(1024, 16384)));
    a.spawn('caller', a.transport.call(b.id, send, payload(1025, 0)));
    expect(() => world.run()).toThrow(/1025 bytes of parameters/);
  });

  it('traces calls for those who listen', () => {
    const world = new World();
    const events: TraceEvent[] = [];
    world.engine.trace.listen(['rpc.call', 'rpc.done', 'rpc.serve'], (e) => events.push(e));
    const a = world.host('a');
    const b = world.host('b');
    world.drive(() => a.transport.call(b.id, send, payload(10, 20)));
    expect(events.map((e) => e.kind)).toEqual([
      ...['rpc.call', 'rpc.serve', 'rpc.done'], // hello
      ...['rpc.call', 'rpc.serve', 'rpc.done'],
    ]);
    expect(events[3]?.fields).toMatchObject({ to: 2, procedure: 3, sizeBytes: 30 });
    expect(events[5]?.fields).toMatchObject({ to: 2, procedure: 3, outcome: 'reply' });
  });

  it('counts', () => {
    const world = new World();
    const a = world.host('a');
    const b = world.host('b');
    world.drive(() => a.transport.call(b.id, send, payload(10, 2000)));
    const read = (name: string): number => a.meters.read(`rpc.${name}`);
    expect([read('calls'), read('sentPackets'), read('receivedPackets'), read('bytes')]).toEqual([
      1, 3, 2, 2010,
    ]);
    expect(b.meters.read('rpc.served')).toBe(2);
  });

  it('gives the same events for the same seed', () => {
    const run = (seed: number): string => {
      const world = new World({ seed, costs: sun3 });
      const [a, b] = [world.host('a'), world.host('b')];
      world.link.judge = faulty(world.engine.random('faults'), {
        loss: 0.1,
        copies: 0.1,
        late: 0.3,
        lateNs: ms(50),
      });
      world.drive(function* () {
        for (let i = 0; i < 10; i++) yield* kindOf(a.transport.call(b.id, echo, payload(10, 700 * i)));
      });
      return world.engine.traceHash();
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });
});

describe('a call to oneself', () => {
  it('runs the handler without packets, and charges the copies', () => {
    const world = new World();
    const a = world.host('a', {}, { ...noCosts, copyNsPerByte: 100 });
    a.setUp((t) =>
      t.serve(work, function* (asked, from): Task<Payload> {
        expect(from).toEqual({ host: a.id, bootId: a.bootId });
        return { parameters: asked.parameters, data: asked.data.subarray(0, 10) };
      }),
    );
    const tookNs = world.drive(function* () {
      const thread = a.spawn(
        'caller',
        (function* (): Task<Payload> {
          const reply = yield* a.transport.call(a.id, work, payload(20, 1000));
          yield* settle();
          return reply;
        })(),
      );
      const reply = yield* thread.join();
      expect([reply.parameters.length, reply.data.length]).toEqual([20, 10]);
      return world.engine.nowNs;
    });
    expect(tookNs).toBe(100 * (1020 + 30));
    expect(world.link.carried).toEqual([]);
    expect(a.meters.read('rpc.localCalls')).toBe(1);
  });

  it('fails as a call to another host does', () => {
    const world = new World();
    const a = world.host('a');
    a.setUp((t) =>
      t.serve(other, function* (): Task<typeof silent> {
        return silent;
      }),
    );
    const call = (id: number): string =>
      world.drive(() => kindOf(a.transport.call(a.id, { ...work, id }, nothing)));
    expect(call(99)).toBe('unsupported');
    expect(call(other.id)).toBe('noAnswer');
    const b = world.host('b');
    expect(world.drive(() => kindOf(b.transport.call(a.id, other, nothing)))).toBe('noAnswer');
  });
});
