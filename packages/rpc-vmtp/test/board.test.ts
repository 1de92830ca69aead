import { ms, seconds, sleep, type Task, type TraceEvent, WaitQueue } from '@backplane/engine';
import { echoes, errorOf, gatedWork, nothing, other, payload, work } from '@backplane/rpc-service/testing';
import type { Payload } from '@backplane/slots';
import { faulty, kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { kernelEntity, kernelGroup, vmtp } from '../src/index.ts';
import { sun3, World } from './world.ts';

describe('the board', () => {
  it('says the same in its code and in its manifest', () => {
    expect(vmtp.componentName).toBe(manifest.name);
    expect(vmtp.version).toBe(manifest.version);
    expect(vmtp.requires).toEqual(manifest.backplane.requires);
    expect(vmtp.capabilities).toEqual(manifest.backplane.capabilities);
    expect([vmtp.slot]).toEqual(manifest.backplane.provides);
    expect(vmtp().speaks).toEqual(['vmtp']);
    expect(vmtp({ carrier: 'internet' }).serves).toEqual([{ protocol: 'vmtp-ip' }]);
  });

  it('refuses options that are wrong', () => {
    expect(errorOf(() => vmtp({ workers: 0 })).code).toBe('WRONG_OPTION');
    const wrongName = errorOf(() => new World().host('a', { nic: 'eth1' }));
    expect(wrongName.code).toBe('WRONG_OPTION');
    expect(wrongName.hint).toContain('eth0');
  });

  it('names the empty slot when the carrier has none, and the link that is too narrow', () => {
    const board = vmtp({ carrier: 'internet' });
    const { machine } = new World().host('a');
    const granted = { nic: new Map(), locator: {}, processors: {}, internet: undefined };
    const { code, data } = errorOf(() => board.create(granted as never, machine));
    expect([code, data['slot']]).toEqual(['SLOT_EMPTY', 'internet']);
    const narrow = { ...granted, internet: { unfragmentedBytes: 576, receive: () => () => {} } };
    expect(errorOf(() => board.create(narrow as never, machine)).code).toBe('ROUTE_TOO_NARROW');
  });

  it('keeps the null procedure for itself', () => {
    const { transport } = new World().host('a');
    const handler = function* (): Task<Payload> {
      return nothing;
    };
    const { code, data } = errorOf(() => transport.serve({ ...other, id: 0 }, handler));
    expect([code, data['board'], data['other']]).toEqual(['PROCEDURE_TAKEN', manifest.name, 'null']);
  });

  it("carries parameters and data that are more than a group's segment together, and no more than its limits", () => {
    for (const checksum of [false, true]) {
      const world = new World({ rpc: { checksum } });
      const [a, b] = [world.host('a'), world.host('b')];
      b.setUp(echoes);
      expect([a.transport.maxParametersBytes, a.transport.maxDataBytes]).toEqual([1024, 16384]);
      for (const [p, d] of [
        [0, 16384],
        [1, 16384],
        [1024, 16384],
        [1024, 15360],
        [1024, 15361],
      ] as const)
        expect(world.drive(() => a.transport.call(b.id, work, payload(p, d)))).toEqual(payload(p, d));
      a.spawn('caller', a.transport.call(b.id, work, payload(1025, 0)));
      expect(() => world.run()).toThrow(/1025 bytes of parameters/);
    }
  });

  it('survives the loss of each packet of a call in two groups, there and back', () => {
    const frames = (lost: number): number => {
      const world = new World();
      const [a, b] = [world.host('a'), world.host('b')];
      b.setUp(echoes);
      world.drive(() => a.transport.call(b.id, work, nothing));
      let n = 0;
      let served = 0;
      world.link.judge = () => (n++ === lost ? 'drop' : 'pass');
      served = b.metric('rpc.served');
      const reply = world.drive(() => a.transport.call(b.id, work, payload(1024, 16384)));
      expect(reply, `packet ${lost}`).toEqual(payload(1024, 16384));
      expect(b.metric('rpc.served') - served, `packet ${lost}`).toBe(1);
      return n;
    };
    const all = frames(-1);
    expect(all).toBe(2 * 17);
    for (let lost = 0; lost < all; lost += 3) frames(lost);
  });

  it('makes callers wait when all of its clients are in use, and servers busy when all of their threads are', () => {
    const world = new World({ rpc: { clients: 3, workers: 2 } });
    const [a, b] = [world.host('a'), world.host('b')];
    const executed: string[] = [];
    const gate = new WaitQueue();
    b.setUp((transport) => gatedWork(transport, executed, gate));
    const threads = [1, 2, 3, 4].map((i) =>
      a.spawn('calls', kindOf(a.transport.call(b.id, work, payload(i, 1, i)))),
    );
    world.after(seconds(3));
    expect(executed.length).toBe(2);
    expect(b.metric('rpc.noServer')).toBeGreaterThan(0);
    world.drive(function* () {
      while (threads.some((t) => !t.ended)) {
        gate.wakeAll();
        yield* sleep(ms(100));
      }
    });
    expect(executed.length).toBe(4);
  });

  it('traces calls for those who listen', () => {
    const world = new World();
    const events: TraceEvent[] = [];
    world.engine.trace.listen(['rpc.call', 'rpc.done', 'rpc.serve'], (e) => events.push(e));
    const [a, b] = [world.host('a'), world.host('b')];
    b.setUp(echoes);
    world.drive(() => a.transport.call(b.id, work, payload(10, 20)));
    // The first call is the null procedure, which is answered without a handler.
    expect(events.map((e) => e.kind)).toEqual(['rpc.call', 'rpc.done', 'rpc.call', 'rpc.serve', 'rpc.done']);
    expect(events[2]?.fields).toMatchObject({ to: 2, procedure: work.id, sizeBytes: 30 });
    expect(events[4]?.fields).toMatchObject({ to: 2, procedure: work.id, outcome: 'reply' });
  });

  it('counts', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    b.setUp(echoes);
    world.drive(() => a.transport.call(b.id, work, payload(10, 2000)));
    const read = (name: string): number => a.metric(`rpc.${name}`);
    expect([read('calls'), read('sentPackets'), read('receivedPackets'), read('bytes')]).toEqual([
      1, 3, 3, 2010,
    ]);
    expect([b.metric('rpc.served'), a.metric('vmtp.transactions'), b.metric('vmtp.requests')]).toEqual([
      1, 2, 2,
    ]);
  });

  it("derives a kernel's number from its host's", () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    expect(kernelEntity(b.id)).toBe('000000010a010002');
    expect(world.drive(() => a.entities.probe(kernelEntity(b.id)))).toBe('here');
    expect(world.drive(() => a.entities.probe(kernelGroup))).toBe('here');
  });

  it('gives the same events for the same seed', () => {
    const run = (seed: number): string => {
      const world = new World({ seed, costs: sun3 });
      const [a, b] = [world.host('a'), world.host('b')];
      b.setUp(echoes);
      const faults = { loss: 0.1, copies: 0.1, late: 0.3, lateNs: ms(50) };
      world.link.judge = faulty(world.engine.random('faults'), faults);
      world.drive(function* () {
        for (let i = 0; i < 10; i++) yield* kindOf(a.transport.call(b.id, work, payload(10, 700 * i)));
      });
      return world.engine.traceHash();
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });
});
