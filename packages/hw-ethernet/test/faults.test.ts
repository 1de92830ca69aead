import { type BackplaneError, Frame, type LinkRule } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  corruptionRule,
  delayRule,
  duplicationRule,
  type FaultRule,
  lossRule,
  onewayRule,
  partitionRule,
  reorderRule,
} from '../src/index.ts';
import { everybody, frameTo, World } from './world.ts';

const seconds = (n: number): number => n * 1e9;

/** Machines a, b, c; what each got, and a frame from one to another every millisecond. */
class Net {
  readonly world: World;
  readonly got: Record<
    string,
    { readonly serial: number; readonly atNs: number; readonly payload: Uint8Array }[]
  > = {
    a: [],
    b: [],
    c: [],
  };
  #serial = 0;

  constructor(seed = 1) {
    this.world = new World({ stationSpacingMeters: 0 }, seed);
    for (const name of ['a', 'b', 'c']) {
      const { nic } = this.world.host(name);
      nic.receive(0x0500, (frame) => {
        const payload = frame.payload();
        const serial = (payload[0] ?? 0) * 256 + (payload[1] ?? 0);
        this.got[name]?.push({ serial, atNs: this.world.engine.nowNs, payload });
      });
    }
  }

  send(from: string, to: string, frames: number): void {
    const { hosts, engine } = this.world;
    const sender = hosts.find((h) => h.name === from)?.nic;
    const receiver = hosts.find((h) => h.name === to)?.nic;
    if (sender === undefined) throw new Error(from);
    for (let i = 0; i < frames; i++) {
      const payload = new Uint8Array(50);
      payload[0] = this.#serial >> 8;
      payload[1] = this.#serial++ & 255;
      const frame =
        receiver === undefined
          ? new Frame(everybody, sender.address, 0x0500, [payload])
          : frameTo(receiver, sender, payload);
      sender.send(frame);
      this.world.run(engine.nowNs + 1_000_000);
    }
  }

  serials(name: string): number[] {
    return (this.got[name] ?? []).map((g) => g.serial);
  }

  add(make: (net: Net) => LinkRule): () => void {
    return this.world.medium.addRule(make(this));
  }

  random(purpose: string) {
    return this.world.engine.random(purpose);
  }
}

describe('rules', () => {
  it('are asked in the order in which they were added, and the first that does not pass decides', () => {
    const net = new Net();
    const asked: string[] = [];
    const rule = (name: string, verdict: 'pass' | 'drop'): LinkRule => ({
      name,
      judge: (frame, from, to) => {
        asked.push(`${name} ${frame.type} ${from}>${to}`);
        return verdict;
      },
    });
    net.add(() => rule('first', 'pass'));
    const undo = net.add(() => rule('second', 'drop'));
    net.add(() => rule('third', 'pass'));
    net.send('a', 'b', 1);
    expect(asked).toEqual(['first 1280 a>b', 'second 1280 a>b']);
    expect(net.serials('b')).toEqual([]);
    undo();
    undo();
    net.send('a', 'b', 1);
    expect(asked.slice(2)).toEqual(['first 1280 a>b', 'third 1280 a>b']);
    expect(net.serials('b')).toEqual([1]);
  });

  it('are asked for each station that a broadcast is for', () => {
    const net = new Net();
    net.add(() => ({ name: 'not b', judge: (_frame, _from, to) => (to === 'b' ? 'drop' : 'pass') }));
    net.send('a', '*', 2);
    expect([net.serials('a'), net.serials('b'), net.serials('c')]).toEqual([[], [], [0, 1]]);
  });

  it('leave the wire as busy as it was', () => {
    const net = new Net();
    net.add((n) => lossRule(n.world.engine, n.random('x'), { probability: 1 }));
    net.send('a', 'b', 3);
    expect(net.world.meters.read('network.frames')).toBe(3);
    expect(net.world.meters.read('network.faults.dropped')).toBe(3);
  });

  it('show in the trace', () => {
    const net = new Net();
    const seen: unknown[] = [];
    net.world.engine.trace.listen(['ethernet.fault'], (e) => seen.push(e.fields));
    net.add((n) => lossRule(n.world.engine, n.random('x'), { probability: 1 }));
    net.send('a', 'b', 1);
    expect(seen).toEqual([{ rule: 'loss', what: 'drop', from: 'a', to: 'b' }]);
  });
});

describe('loss', () => {
  const survivors = (seed: number): number[] => {
    const net = new Net(seed);
    net.add((n) => lossRule(n.world.engine, n.random('loss'), { probability: 0.2 }));
    net.send('a', 'b', 1000);
    return net.serials('b');
  };

  it('strikes as often as it says, the same frames with the same seed', () => {
    const once = survivors(1);
    // Four standard deviations of 1000 frames at 0.2 are 51.
    expect(Math.abs(once.length - 800)).toBeLessThan(51);
    expect(survivors(1)).toEqual(once);
    expect(survivors(2)).not.toEqual(once);
  });

  it('strikes within its window only: from its first instant up to, and without, its last', () => {
    const net = new Net();
    const window = { fromNs: 1_000_000 + 60_800, untilNs: 3_000_000 + 60_800 };
    net.add((n) => lossRule(n.world.engine, n.random('x'), { probability: 1, ...window }));
    net.send('a', 'b', 5);
    // Frame i arrives at i ms + 60.8 us: 76 bytes with the preamble.
    expect(net.serials('b')).toEqual([0, 3, 4]);
    expect(net.got['b']?.[0]?.atNs).toBe(60_800);
  });
});

describe('duplication', () => {
  it('delivers the copies, spaced', () => {
    const net = new Net();
    const o = { probability: 1, copies: 3, spacingNs: 200_000, untilNs: 1_000_000 };
    net.add((n) => duplicationRule(n.world.engine, n.random('x'), o));
    net.send('a', 'b', 2);
    expect(net.got['b']?.map((g) => [g.serial, g.atNs])).toEqual([
      [0, 60_800],
      [0, 260_800],
      [0, 460_800],
      [1, 1_060_800],
    ]);
    expect(net.world.meters.read('network.faults.duplicated')).toBe(1);
  });

  it('makes two copies when nothing else is said', () => {
    const net = new Net();
    net.add((n) => duplicationRule(n.world.engine, n.random('x'), { probability: 1 }));
    net.send('a', 'b', 1);
    expect(net.serials('b')).toEqual([0, 0]);
  });
});

describe('delay and reordering', () => {
  it('a delay keeps the order', () => {
    const net = new Net();
    net.add((n) => delayRule(n.world.engine, n.random('x'), { delayNs: 5_000_000 }));
    net.send('a', 'b', 10);
    net.world.run();
    expect(net.serials('b')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(net.got['b']?.[0]?.atNs).toBe(5_060_800);
  });

  it('reordering lets later frames overtake, and loses none', () => {
    const net = new Net();
    net.add((n) => reorderRule(n.world.engine, n.random('x'), { probability: 0.5, delayNsMax: 5_000_000 }));
    net.send('a', 'b', 200);
    net.world.run();
    const serials = net.serials('b');
    const sorted = serials.slice().sort((x, y) => x - y);
    expect(sorted).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(serials).not.toEqual(sorted);
    for (const g of net.got['b'] ?? []) {
      const lateNs = g.atNs - g.serial * 1_000_000 - 60_800;
      expect(lateNs).toBeGreaterThanOrEqual(0);
      expect(lateNs).toBeLessThanOrEqual(5_000_000);
    }
  });

  it('a late frame reaches a machine that has rebooted since', () => {
    const net = new Net();
    net.add((n) => delayRule(n.world.engine, n.random('x'), { delayNs: 50_000_000 }));
    net.send('a', 'b', 1);
    const b = net.world.hosts[1];
    b?.crash();
    let came = 0;
    b?.nic.receive(0x0500, () => {
      came++;
    });
    net.world.run();
    expect(came).toBe(1);
  });
});

describe('corruption', () => {
  it('is found by the interface, which drops the frame and counts it', () => {
    const net = new Net();
    net.add((n) => corruptionRule(n.world.engine, n.random('x'), { probability: 0.25 }));
    net.send('a', 'b', 400);
    const damaged = net.world.meters.read('network.damaged');
    expect(Math.abs(damaged - 100)).toBeLessThan(35);
    expect(net.serials('b')).toHaveLength(400 - damaged);
    expect(net.world.meters.read('network.faults.damaged')).toBe(damaged);
  });

  it('gets past the interface on request, with one payload bit wrong and the sender’s bytes untouched', () => {
    const net = new Net();
    const o = { probability: 1, passDamaged: true };
    const sent: Uint8Array[] = [];
    net.world.medium.tap((frame) => sent.push(frame.payload()));
    net.add((n) => corruptionRule(n.world.engine, n.random('x'), o));
    net.send('a', 'b', 300);
    const flipped = new Set<number>();
    net.got['b']?.forEach(({ payload }, i) => {
      const before = sent[i] as Uint8Array;
      expect(payload).toHaveLength(before.length);
      const bits = Array.from(payload, (byte, at) => byte ^ (before[at] ?? 0));
      const wrong = bits.findIndex((x) => x !== 0);
      expect(bits.filter((x) => x !== 0)).toHaveLength(1);
      expect([1, 2, 4, 8, 16, 32, 64, 128]).toContain(bits[wrong]);
      flipped.add(wrong);
    });
    expect(net.world.meters.read('network.damaged')).toBe(0);
    expect(flipped.size).toBeGreaterThan(40);
  });

  it('strikes the header too, which the check sequence covers', () => {
    const net = new Net();
    const rule = corruptionRule(net.world.engine, net.random('x'), { probability: 1 });
    const payload = new Uint8Array(14);
    const frame = new Frame(1, 2, 3, [payload]);
    let inPayload = 0;
    for (let i = 0; i < 1000; i++) {
      const verdict = rule.judge(frame, 'a', 'b');
      if (typeof verdict === 'string' || !('damage' in verdict)) throw new Error('passed');
      if (verdict.damage(payload).some((byte) => byte !== 0)) inPayload++;
    }
    // Header and payload are of one length: half of the bits each.
    expect(Math.abs(inPayload - 500)).toBeLessThan(64);
  });

  it('lets an empty frame pass when it should go unnoticed', () => {
    const net = new Net();
    const o = { probability: 1, passDamaged: true };
    const rule = corruptionRule(net.world.engine, net.random('x'), o);
    expect(rule.judge(new Frame(1, 2, 3, []), 'a', 'b')).toBe('pass');
  });
});

describe('partitions', () => {
  const reach = (make: (net: Net) => LinkRule): string[] => {
    const net = new Net();
    net.add(make);
    const pairs = ['ab', 'ba', 'ac', 'ca', 'bc', 'cb'];
    for (const pair of pairs) net.send(pair.slice(0, 1), pair.slice(1), 1);
    return pairs.filter((pair, serial) => net.serials(pair.slice(1)).includes(serial));
  };

  it('let no frame pass between groups, and all within one', () => {
    expect(reach((n) => partitionRule(n.world.engine, [['a', 'b'], ['c']]))).toEqual(['ab', 'ba']);
  });

  it('do not affect stations in no group', () => {
    expect(reach((n) => partitionRule(n.world.engine, [['a'], ['c']]))).toEqual(['ab', 'ba', 'bc', 'cb']);
  });

  it('may be open one way', () => {
    expect(reach((n) => onewayRule(n.world.engine, ['a'], ['b', 'c']))).toEqual(['ba', 'ca', 'bc', 'cb']);
  });

  it('begin and heal with their windows', () => {
    const net = new Net();
    const window = { fromNs: 2_000_000, untilNs: 4_000_000 };
    net.add((n) => partitionRule(n.world.engine, [['a'], ['b']], window));
    net.send('a', 'b', 6);
    expect(net.serials('b')).toEqual([0, 1, 4, 5]);
    const oneway = new Net();
    oneway.add((n) => onewayRule(n.world.engine, ['a'], ['b'], { fromNs: 2_000_000 }));
    oneway.send('a', 'b', 4);
    expect(oneway.serials('b')).toEqual([0, 1]);
  });
});

describe('what a fault says about itself', () => {
  const { engine } = new World();
  const random = engine.random('x');
  const cases: readonly [FaultRule, string][] = [
    [
      lossRule(engine, random, { probability: 0.02 }),
      'Each frame with probability 2 % is lost on its way to a station.',
    ],
    [
      duplicationRule(engine, random, { probability: 0.005, fromNs: seconds(10), untilNs: seconds(20) }),
      'From 10 s until 20 s each frame with probability 0.5 % reaches a station 2 times, 100 us apart.',
    ],
    [delayRule(engine, random, { delayNs: 5_000_000 }), 'Every frame reaches a station 5 ms late.'],
    [
      reorderRule(engine, random, { probability: 0.5, delayNsMax: 2_500_000, untilNs: seconds(1) }),
      'Until 1 s each frame with probability 50 % reaches a station up to 2.5 ms late, so that others overtake it.',
    ],
    [
      corruptionRule(engine, random, { probability: 1, fromNs: seconds(3) }),
      'From 3 s on every frame reaches a station with a bit flipped, and its interface drops it.',
    ],
    [
      corruptionRule(engine, random, { probability: 0.1, passDamaged: true }),
      'Each frame with probability 10 % reaches a station with a payload bit flipped, past the interface.',
    ],
    [partitionRule(engine, [['a', 'b'], ['c']]), 'No frame passes between a, b | c.'],
    [
      onewayRule(engine, ['a'], ['b'], { fromNs: seconds(10), untilNs: seconds(20) }),
      'From 10 s until 20 s no frame of a reaches b, while the way back is open.',
    ],
  ];

  for (const [rule, words] of cases) {
    it(`${rule.name}: ${words}`, () => {
      expect(rule.sentence).toBe(words);
    });
  }
});

describe('a fault that makes no sense', () => {
  const { engine } = new World();
  const random = engine.random('x');
  const wrong: readonly [string, () => unknown][] = [
    ['probability', () => lossRule(engine, random, { probability: 1.5 })],
    ['probability', () => lossRule(engine, random, { probability: Number.NaN })],
    ['copies', () => duplicationRule(engine, random, { probability: 1, copies: 1 })],
    ['spacingNs', () => duplicationRule(engine, random, { probability: 1, spacingNs: 0 })],
    ['delayNs', () => delayRule(engine, random, { delayNs: 0.5 })],
    ['delayNsMax', () => reorderRule(engine, random, { probability: 1, delayNsMax: 0 })],
    ['untilNs', () => partitionRule(engine, [], { fromNs: 5, untilNs: 5 })],
    ['fromNs', () => onewayRule(engine, ['a'], ['b'], { fromNs: -1 })],
  ];

  it('is refused, and the error names the option', () => {
    for (const [option, make] of wrong) {
      let caught: BackplaneError | undefined;
      try {
        make();
      } catch (e) {
        caught = e as BackplaneError;
      }
      expect([caught?.code, caught?.data['option']]).toEqual(['WRONG_FAULT', option]);
    }
  });
});
