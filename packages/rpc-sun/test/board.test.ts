import { ms, type Task, type TraceEvent } from '@backplane/engine';
import { echoes, errorOf, nothing, other, payload, work } from '@backplane/rpc-service/testing';
import type { Payload } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { limits, sunRpc } from '../src/index.ts';
import { faulty } from './switch.ts';
import { World } from './world.ts';

describe('the board', () => {
  it('says the same in its code and in its manifest', () => {
    expect(sunRpc.componentName).toBe(manifest.name);
    expect(sunRpc.version).toBe(manifest.version);
    expect(sunRpc.requires).toEqual(manifest.backplane.requires);
    expect([sunRpc.slot]).toEqual(manifest.backplane.provides);
    expect(sunRpc.capabilities).toEqual(manifest.backplane.capabilities);
    expect(sunRpc().speaks).toEqual(manifest.backplane.protocols);
    expect(sunRpc().serves).toEqual([{ protocol: 'sun-rpc' }]);
  });

  it('refuses options that are wrong', () => {
    expect(errorOf(() => sunRpc({ tries: 0 })).code).toBe('WRONG_OPTION');
    expect(errorOf(() => new World().host('a', { daemons: 4, daemonsMax: 3 })).code).toBe('WRONG_OPTION');
  });

  it('keeps number 0 for the null procedure', () => {
    const { transport } = new World().host('a');
    const handler = function* (): Task<Payload> {
      return nothing;
    };
    const { code, data } = errorOf(() => transport.serve({ ...other, id: 0 }, handler));
    expect([code, data['board'], data['other']]).toEqual(['PROCEDURE_TAKEN', manifest.name, 'null']);
  });

  it('refuses a message beyond its limits', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    b.setUp(echoes);
    expect([a.transport.maxParametersBytes, a.transport.maxDataBytes]).toEqual([
      limits.parametersBytes,
      limits.dataBytes,
    ]);
    world.drive(() => a.transport.call(b.id, work, payload(1024, 8192)));
    a.spawn('caller', a.transport.call(b.id, work, payload(1025, 0)));
    expect(() => world.run()).toThrow(/1025 bytes of parameters/);
  });

  it('traces calls for those who listen', () => {
    const world = new World();
    const events: TraceEvent[] = [];
    world.engine.trace.listen(['rpc.call', 'rpc.done', 'rpc.serve'], (e) => events.push(e));
    const [a, b] = [world.host('a'), world.host('b')];
    b.setUp(echoes);
    world.drive(() => a.transport.call(b.id, work, payload(10, 20)));
    expect(events.map((e) => e.kind)).toEqual(['rpc.call', 'rpc.serve', 'rpc.done']);
    expect(events[0]?.fields).toMatchObject({ to: 2, procedure: work.id, sizeBytes: 30 });
    expect(events[2]?.fields).toMatchObject({ to: 2, procedure: work.id, outcome: 'reply' });
  });

  it('counts', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    b.setUp(echoes);
    world.drive(() => a.transport.call(b.id, work, payload(10, 2000)));
    const counted = ['calls', 'sentPackets', 'receivedPackets', 'bytes', 'pings'].map((name) =>
      a.metric(name),
    );
    expect(counted).toEqual([1, 3, 3, 2010, 1]);
    expect(b.metric('served')).toBe(1);
  });

  it('gives the same events for the same seed', () => {
    const run = (seed: number): string => {
      const world = new World({ seed });
      const [a, b] = [world.host('a'), world.host('b')];
      b.setUp(echoes);
      const faults = { loss: 0.1, copies: 0.1, late: 0.3, lateNs: ms(50) };
      world.net.judge = faulty(world.engine.random('faults'), faults);
      world.drive(function* () {
        for (let i = 0; i < 10; i++) yield* kindOf(a.transport.call(b.id, work, payload(10, 700 * i)));
      });
      return world.engine.traceHash();
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });
});
