import { ms, type RandomStream, seconds, type Task } from '@backplane/engine';
import { echoes, nothing, payload, work } from '@backplane/rpc-service/testing';
import { kindOf } from '@backplane/slots/testing';
import { decodeUdp } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { Hand } from './hand.ts';
import { faulty } from './switch.ts';
import { type Host, World } from './world.ts';

/** Real messages of all sorts, from calls over a bad network; the payloads of their datagrams. */
function samples(): Uint8Array[] {
  const world = new World({ seed: 7, rpc: { checksum: false } });
  const [a, b] = [world.host('a'), world.host('b')];
  b.setUp(echoes);
  const faults = { loss: 0.2, copies: 0.2, late: 0.2, lateNs: ms(200) };
  world.net.judge = faulty(world.engine.random('faults'), faults);
  world.drive(function* () {
    for (let i = 0; i < 30; i++) {
      yield* kindOf(a.transport.call(b.id, work, payload(i * 30, i * 200)));
      if (i % 10 === 5) b.reboot();
      if (i % 10 === 0) yield* a.transport.ask(work, nothing, { windowNs: ms(50), enough: 1 });
    }
  });
  const anywhere = { source: 0 as never, destination: 0 as never };
  return world.net.carried.flatMap(({ bytes }) => decodeUdp(bytes, anywhere)?.payload ?? []);
}

function damaged(sample: Uint8Array, random: RandomStream): Uint8Array {
  const bytes = sample.slice(0, random.chance(0.2) ? random.below(sample.length + 1) : sample.length);
  // Mostly in the first words: that is where it hurts.
  for (let flips = random.below(4); flips > 0 && bytes.length > 0; flips--) {
    const at = random.below(random.chance(0.9) ? Math.min(100, bytes.length) : bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}

describe('sun rpc, bytes from anybody', () => {
  it('never throws, whatever arrives, and counts what is malformed', () => {
    const real = samples();
    expect(real.length).toBeGreaterThan(80);
    for (const checksum of [true, false]) {
      const world = new World({ seed: 11, rpc: { checksum, daemons: 1, daemonsMax: 5 } });
      world.net.records = false;
      const random = world.engine.random('fuzz');
      const hosts: Host[] = [world.host('a'), world.host('b')];
      const hand = new Hand(world, 2); // its messages pass for those of host b
      const callers = hosts.map((host, i) => {
        host.setUp(echoes);
        const to = hosts[1 - i]?.id;
        return host.spawn(
          'calls',
          (function* (): Task<void> {
            for (;;)
              if (to !== undefined)
                yield* kindOf(host.transport.call(to, work, payload(random.below(100), random.below(2000))));
          })(),
        );
      });
      hosts[1]?.reboot();
      for (let i = 0; i < 4000; i++) {
        const bytes = random.chance(0.1)
          ? Uint8Array.from({ length: random.below(200) }, () => random.below(256))
          : damaged(random.pick(real), random);
        const to = random.pick(hosts);
        if (random.chance(0.1)) hand.datagram(to, bytes);
        else hand.say(to, bytes, 1023, random.pick([1017, 1023, 1017, 1023, 7]));
        if (i % 20 === 0) world.after(ms(2));
      }
      world.after(seconds(5));
      expect(callers[0]?.ended).toBe(false);
      for (const host of hosts) expect(host.metric('malformed')).toBeGreaterThan(200);
    }
  });

  it('serves the next call, after all of that', () => {
    const world = new World({ seed: 3 });
    const [a, b] = [world.host('a'), world.host('b')];
    b.setUp(echoes);
    const random = world.engine.random('fuzz');
    const real = samples();
    const stranger = new Hand(world, 9);
    for (let i = 0; i < 1000; i++) stranger.say(random.pick([a, b]), damaged(random.pick(real), random));
    world.after(seconds(1));
    expect(world.drive(() => kindOf(a.transport.call(b.id, work, payload(10, 5000))))).toBe('ok');
  });
});
