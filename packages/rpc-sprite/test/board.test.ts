import { ms, type Task, type TraceEvent } from '@backplane/engine';
import { errorOf, nothing, other, payload } from '@backplane/rpc-service/testing';
import type { Payload } from '@backplane/slots';
import { faulty, kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { echo, send, spriteRpc } from '../src/index.ts';
import { sun3, World } from './world.ts';

describe('the board', () => {
  it('says the same in its code and in its manifest', () => {
    expect(spriteRpc.componentName).toBe(manifest.name);
    expect(spriteRpc.version).toBe(manifest.version);
    expect(spriteRpc.requires).toEqual(manifest.backplane.requires);
    expect([spriteRpc.slot]).toEqual(manifest.backplane.provides);
    expect(spriteRpc.capabilities).toEqual(manifest.backplane.capabilities);
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

  it('serves the echo itself', () => {
    const { transport } = new World().host('a');
    const handler = function* (): Task<Payload> {
      return nothing;
    };
    const { code, data } = errorOf(() => transport.serve({ ...other, id: echo.id }, handler));
    expect([code, data['board'], data['other']]).toEqual(['PROCEDURE_TAKEN', manifest.name, 'echo']);
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
