import { ms, sleep, type Task, type TraceEvent } from '@backplane/engine';
import { type HostId, hostId, KernelError } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { PeerMonitor } from '../src/index.ts';
import { echoes, nothing, work } from '../src/testing.ts';
import { type Host, Line } from './line.ts';

let line: Line;
let here: Host;
let monitor: PeerMonitor;
const there: HostId = hostId(2);
/** What the handlers were told, in order. */
let told: string[];

const note = (what: string) =>
  function* (host: HostId): Task<void> {
    told.push(`${what} ${host}`);
    yield* sleep(ms(20));
    told.push(`${what} ${host} done`);
  };
const run = (): void => line.engine.run();

beforeEach(() => {
  line = new Line();
  here = line.host();
  monitor = here.monitor;
  told = [];
  monitor.onDead(note('dead'));
  monitor.onReboot(note('reboot'));
  monitor.heard(there, 100);
});

describe('peer monitor', () => {
  it('knows who was heard', () => {
    expect([here.id, there, hostId(3)].map((host) => monitor.isAlive(host))).toEqual([true, true, false]);
    expect([monitor.heardNs(there), monitor.heardNs(hostId(3))]).toEqual([0, Number.NEGATIVE_INFINITY]);
  });

  it('tells once that a host fell silent, also of one that was never heard', () => {
    for (const host of [there, there, hostId(3)]) monitor.fellSilent(host);
    run();
    expect(told).toEqual(['dead 2', 'dead 3', 'dead 2 done', 'dead 3 done']);
  });

  it('tells of a death that nobody missed, when another life is heard', () => {
    monitor.heard(there, 101);
    run();
    expect(told).toEqual(['dead 2', 'dead 2 done']);
    expect(monitor.isAlive(there)).toBe(true);
  });

  it('tells of the reboot of a watched host after its death', () => {
    monitor.watch(there);
    monitor.heard(there, 101);
    monitor.heard(there, 101);
    run();
    expect(told).toEqual(['dead 2', 'dead 2 done', 'reboot 2', 'reboot 2 done']);
  });

  it('takes the end of a partition for a reboot', () => {
    monitor.watch(there);
    monitor.fellSilent(there);
    run();
    monitor.heard(there, 100);
    run();
    expect(told).toEqual(['dead 2', 'dead 2 done', 'reboot 2', 'reboot 2 done']);
  });

  it('does not take a host for alive that talks and is not active', () => {
    monitor.watch(there);
    monitor.fellSilent(there);
    monitor.heard(there, 101, false);
    run();
    expect([monitor.isAlive(there), told.includes('reboot 2')]).toEqual([false, false]);
    monitor.heard(there, 101);
    run();
    expect([monitor.isAlive(there), told.includes('reboot 2')]).toEqual([true, true]);
  });

  it('learns nothing from who does not know its own life', () => {
    monitor.heard(hostId(3), 0);
    expect(monitor.isAlive(hostId(3))).toBe(false);
  });

  it('runs the onDead handlers once more for a host that dies again while they run', () => {
    monitor.fellSilent(there);
    line.engine.run(ms(10));
    monitor.heard(there, 101);
    monitor.fellSilent(there);
    run();
    expect(told).toEqual(['dead 2', 'dead 2 done', 'dead 2', 'dead 2 done']);
  });

  it('runs the onReboot handlers again when the host falls silent while they run', () => {
    let tries = 0;
    monitor.watch(there);
    monitor.onReboot(function* (host): Task<void> {
      if (++tries > 1) return;
      monitor.fellSilent(host);
      throw new KernelError('peerDown');
    });
    monitor.heard(there, 101);
    run();
    monitor.heard(there, 101);
    run();
    expect(tries).toBe(2);
    expect(told.filter((what) => what === 'reboot 2 done')).toHaveLength(2);
  });

  it('stops the run when an onReboot handler throws anything but peerDown', () => {
    monitor.watch(there);
    monitor.onReboot(function* (): Task<void> {
      throw new KernelError('ioError');
    });
    monitor.heard(there, 101);
    expect(run).toThrow();
  });

  it('forgets handlers that were taken back, one for each time they were added', () => {
    const again = note('again');
    const undo = monitor.onDead(again);
    monitor.onDead(again);
    undo();
    undo();
    monitor.fellSilent(there);
    run();
    expect(told.filter((what) => what === 'again 2')).toHaveLength(1);
  });

  it('tells the transport of a death before any handler runs', () => {
    const died: HostId[] = [];
    const pings = { add: () => {}, remove: () => {}, now: () => {} };
    const other = new PeerMonitor({ machine: here.machine, pings, died: (host) => void died.push(host) });
    other.heard(there, 100);
    other.heard(there, 101);
    other.fellSilent(there);
    expect(died).toEqual([there, there]);
  });

  it('traces what it thinks of a host', () => {
    const events: TraceEvent[] = [];
    line.engine.trace.listen(['rpc.peer'], (e) => events.push(e));
    monitor.heard(there, 100);
    monitor.heard(there, 101);
    monitor.fellSilent(there);
    expect(events.map((e) => e.fields)).toEqual([
      { host: there, state: 'booting', bootId: 101 },
      { host: there, state: 'alive', bootId: 101 },
      { host: there, state: 'dead', bootId: 101 },
    ]);
  });
});

describe('requests of a client that has another life', () => {
  it('wait until the onDead handlers for the one before have ended', () => {
    line.host();
    const client = line.host();
    echoes(here.transport);
    line.drive(client, client.transport.call(here.id, work, nothing));
    client.reboot();
    const startNs = line.engine.nowNs;
    line.drive(client, client.transport.call(here.id, work, nothing));
    expect(line.engine.nowNs - startNs).toBeGreaterThan(ms(20));
    expect(told).toEqual(['dead 3', 'dead 3 done']);
  });

  it('do not wait on the client, whose own handlers run', () => {
    const server = line.host();
    echoes(server.transport);
    line.drive(here, here.transport.call(server.id, work, nothing));
    monitor.fellSilent(server.id);
    let endedNs = 0;
    line.drive(
      here,
      (function* (): Task<void> {
        const startNs = line.engine.nowNs;
        expect(yield* kindOf(here.transport.call(server.id, work, nothing))).toBe('ok');
        endedNs = line.engine.nowNs - startNs;
      })(),
    );
    expect(endedNs).toBeLessThan(ms(3));
  });
});

describe('watched hosts', () => {
  it('are on the list of those that are pinged; watches are counted', () => {
    const [first, second] = [monitor.watch(there), monitor.watch(there)];
    monitor.watch(here.id);
    expect([...here.watched]).toEqual([there]);
    first();
    first();
    expect(here.watched.size).toBe(1);
    second();
    expect(here.watched.size).toBe(0);
  });

  it('are waited for, and asked at once', () => {
    monitor.fellSilent(there);
    let backNs = 0;
    here.machine.scope.spawn(
      'waits',
      (function* (): Task<void> {
        yield* monitor.awaitAlive(here.id);
        yield* monitor.awaitAlive(there);
        backNs = line.engine.nowNs;
      })(),
    );
    run();
    expect([here.pinged, here.watched.size]).toEqual([[there], 1]);
    line.engine.run(ms(500));
    monitor.heard(there, 100);
    run();
    expect([backNs >= ms(20), here.watched.size]).toEqual([true, 0]);
  });
});
