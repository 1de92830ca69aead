import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { nothing, work } from '@backplane/rpc-service/testing';
import type { HostId, Payload } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { flags, procedures, type SpriteRpcOptions, spriteRpcHeader, types } from '../src/index.ts';
import { Hand } from './hand.ts';
import { type Host, World } from './world.ts';

let world: World;
let here: Host;
let there: Host;
/** What the handlers of `here` were told, in order. */
let told: string[];

function listenTo(host: Host): void {
  const note = (what: string) =>
    function* (peer: HostId): Task<void> {
      told.push(`${what} ${peer}`);
      yield* sleep(ms(20));
      told.push(`${what} ${peer} done`);
    };
  host.transport.peers.onDead(note('dead'));
  host.transport.peers.onReboot(note('reboot'));
}

function boot(options: SpriteRpcOptions = {}): void {
  world = new World();
  told = [];
  here = world.host('here', options);
  there = world.host('there', options);
  for (const host of [here, there]) {
    host.setUp((t) =>
      t.serve(work, function* (_asked, from): Task<Payload> {
        if (host === here) told.push(`serves ${from.host}`);
        return nothing;
      }),
    );
  }
  listenTo(here);
  world.drive(() => here.transport.call(there.id, work, nothing));
  world.link.carried.length = 0;
}

/** A call that fails, and the handlers for that. */
function callInVain(): void {
  world.link.cut('here', 'there');
  expect(world.drive(() => kindOf(here.transport.call(there.id, work, nothing)))).toBe('peerDown');
  after(ms(50));
}
const after = (forNs: number): void => world.run(world.engine.nowNs + forNs);
const pings = (): number[] =>
  world.link.carried
    .filter(({ from, frame }) => {
      const h = spriteRpcHeader.decode(frame.payload());
      return (
        from === 'here' && h.command === procedures.echo2 && h.flags === (types.request | flags.toServer)
      );
    })
    .map(({ atNs }) => atNs);

describe('host monitor, deaths', () => {
  beforeEach(() => boot());

  it('tells once that a host fell silent', () => {
    callInVain();
    callInVain();
    expect(told).toEqual(['dead 2', 'dead 2 done']);
    expect(here.transport.peers.isAlive(there.id)).toBe(false);
  });

  it('runs the handlers for a reboot that nobody noticed before it serves the new life', () => {
    there.reboot();
    world.drive(() => there.transport.call(here.id, work, nothing));
    expect(told).toEqual(['dead 2', 'dead 2 done', 'serves 2']);
  });

  it('does not hold up its own calls for the handlers', () => {
    after(seconds(2));
    there.reboot();
    after(seconds(1));
    const startNs = world.engine.nowNs;
    world.drive(() => here.transport.call(there.id, work, nothing));
    expect(world.engine.nowNs - startNs).toBeLessThan(ms(10));
    expect(told).toEqual(['dead 2']);
  });

  it('tells of the reboot of a watched host after its death', () => {
    here.transport.peers.watch(there.id);
    there.reboot();
    world.drive(() => there.transport.call(here.id, work, nothing));
    after(ms(100));
    expect(told.filter((t) => !t.startsWith('serves'))).toEqual([
      'dead 2',
      'dead 2 done',
      'reboot 2',
      'reboot 2 done',
    ]);
  });

  it('takes the end of a partition for a reboot', () => {
    here.transport.peers.watch(there.id);
    callInVain();
    expect(told).toEqual(['dead 2', 'dead 2 done']);
    world.link.mend();
    after(seconds(31));
    expect(told.slice(2)).toEqual(['reboot 2', 'reboot 2 done']);
    expect(here.transport.peers.isAlive(there.id)).toBe(true);
  });

  it('runs the reboot handlers again when the host falls silent while they run', () => {
    here.transport.peers.watch(there.id);
    let attempts = 0;
    here.transport.peers.onReboot(function* (host): Task<void> {
      attempts++;
      if (attempts === 1) world.link.cut('here', 'there');
      yield* here.transport.call(host, work, nothing);
    });
    there.reboot();
    world.drive(() => there.transport.call(here.id, work, nothing));
    after(seconds(7));
    expect(attempts).toBe(1);
    world.link.mend();
    after(seconds(40));
    expect(attempts).toBe(2);
  });

  it('forgets handlers that were taken back', () => {
    const undo = here.transport.peers.onDead(function* (): Task<void> {
      told.push('other');
    });
    undo();
    undo();
    callInVain();
    expect(told).toEqual(['dead 2', 'dead 2 done']);
  });

  it('waits until a host that talks without being active is active', () => {
    const hand = new Hand(world, 3);
    here.transport.peers.watch(3 as HostId);
    const say = (bootId: number, id: number, more: number): void =>
      hand.say(
        here,
        spriteRpcHeader.encode({
          version: 0x0f0e0003,
          flags: types.request | flags.toServer | more,
          clientId: 3 as HostId,
          serverId: here.id,
          channel: 0,
          serverHint: 0xff,
          bootId,
          id,
          delay: 0,
          numFrags: 0,
          fragMask: 0,
          command: procedures.echo2,
          paramSize: 0,
          dataSize: 0,
          paramOffset: 0,
          dataOffset: 0,
        }),
      );
    const { peers } = here.transport;
    say(100, 1, 0);
    after(ms(5));
    expect(peers.isAlive(3 as HostId)).toBe(true);
    say(101, 2, flags.notActive);
    after(ms(50));
    expect(told).toEqual(['dead 3', 'dead 3 done']);
    expect(peers.isAlive(3 as HostId)).toBe(false);
    say(101, 3, flags.notActive);
    after(ms(50));
    expect(told).toHaveLength(2);
    say(101, 4, 0);
    after(ms(50));
    expect(told.slice(2)).toEqual(['reboot 3', 'reboot 3 done']);
    expect(peers.isAlive(3 as HostId)).toBe(true);
  });
});

describe('host monitor, pings', () => {
  beforeEach(() => boot());

  it('pings a watched host every 30 s while it is silent', () => {
    after(seconds(10));
    here.transport.peers.watch(there.id);
    after(seconds(301));
    const atNs = pings();
    expect(atNs).toHaveLength(10);
    for (let i = 1; i < atNs.length; i++) expect((atNs[i] ?? 0) - (atNs[i - 1] ?? 0)).toBe(seconds(30));
  });

  it('leaves out a host that was heard within 10 s', () => {
    here.transport.peers.watch(there.id);
    there.spawn(
      'chatter',
      (function* (): Task<void> {
        for (;;) {
          yield* sleep(seconds(9));
          yield* there.transport.call(here.id, work, nothing);
        }
      })(),
    );
    after(seconds(300));
    expect(pings()).toEqual([]);
  });

  it('pings nobody who is not watched, and watches are counted', () => {
    const first = here.transport.peers.watch(there.id);
    const second = here.transport.peers.watch(there.id);
    first();
    first();
    after(seconds(61));
    expect(pings().length).toBeGreaterThan(0);
    second();
    world.link.carried.length = 0;
    after(seconds(300));
    expect(pings()).toEqual([]);
  });

  it('learns by pings that an idle host has rebooted', () => {
    here.transport.peers.watch(there.id);
    after(seconds(5));
    there.reboot();
    after(seconds(31));
    expect(told).toEqual(['dead 2', 'dead 2 done', 'reboot 2', 'reboot 2 done']);
  });

  it('pings hosts at their own phases, so that they do not fall into step', () => {
    const others = Array.from({ length: 6 }, (_, i) => world.host(`other${i}`));
    for (const other of others) {
      world.drive(() => other.transport.call(there.id, work, nothing));
      other.transport.peers.watch(there.id);
    }
    world.link.carried.length = 0;
    after(seconds(40));
    const phases = new Set(
      world.link.carried
        .filter(({ from }) => from.startsWith('other'))
        .map(({ atNs }) => Math.floor(atNs / 1e9)),
    );
    expect(phases.size).toBeGreaterThan(3);
  });
});

describe('host monitor, waiting for a host', () => {
  beforeEach(() => boot());

  it('returns at once for a host that is alive, and for itself', () => {
    world.drive(() => here.transport.peers.awaitAlive(there.id));
    world.drive(() => here.transport.peers.awaitAlive(here.id));
    expect(world.link.carried).toEqual([]);
  });

  it('returns when the host is back', () => {
    there.crash();
    world.drive(() => kindOf(here.transport.call(there.id, work, nothing)));
    const waiter = here.spawn('waiter', here.transport.peers.awaitAlive(there.id));
    after(seconds(100));
    expect(waiter.ended).toBe(false);
    there.boot();
    after(seconds(36));
    expect(waiter.ended).toBe(true);
    // It pings no longer.
    world.link.carried.length = 0;
    after(seconds(100));
    expect(pings()).toEqual([]);
  });

  it('asks a host that was never heard', () => {
    const stranger = world.host('stranger');
    expect(here.transport.peers.isAlive(stranger.id)).toBe(false);
    world.drive(() => here.transport.peers.awaitAlive(stranger.id));
    expect(here.transport.peers.isAlive(stranger.id)).toBe(true);
  });
});

describe('host monitor, switched off', () => {
  beforeEach(() => boot({ hostMonitor: false }));

  it('learns of a reboot from pings only', () => {
    here.transport.peers.watch(there.id);
    after(seconds(2));
    there.reboot();
    world.drive(() => there.transport.call(here.id, work, nothing));
    after(seconds(1));
    expect(told).toEqual(['serves 2']);
    after(seconds(31));
    expect(told.slice(1)).toEqual(['dead 2', 'dead 2 done', 'reboot 2', 'reboot 2 done']);
  });

  it('still tells of silence, and of the end of it', () => {
    callInVain();
    world.link.mend();
    expect(here.transport.peers.isAlive(there.id)).toBe(false);
    world.drive(() => here.transport.call(there.id, work, nothing));
    expect(here.transport.peers.isAlive(there.id)).toBe(true);
    expect(told).toEqual(['dead 2', 'dead 2 done']);
  });
});
