import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asIpv4,
  decodeIpv4,
  encodeIpv4,
  fragmentIpv4,
  type Ipv4Datagram,
  type Ipv4Outgoing,
  Ipv4Reassembly,
  WireError,
} from '../src/index.ts';
import { defined, hex, randomBytes, sameBytes, seeded, shuffled } from './hex.ts';

const none = new Uint8Array(0);

const plain = { source: asIpv4(1), destination: asIpv4(2), protocol: 17, identification: 7 };

const cut = (outgoing: Ipv4Outgoing, mtuBytes: number): readonly Ipv4Datagram[] =>
  defined(fragmentIpv4(outgoing, mtuBytes));

const fragment = (
  offsetBytes: number,
  payload: Uint8Array,
  moreFragments: boolean,
  identification = 7,
): Ipv4Datagram => {
  const [whole] = cut({ ...plain, payload, identification }, 65535);
  return { ...defined(whole), offsetBytes, moreFragments };
};

describe('ipv4 fragments', () => {
  it('are whole where they fit, and none where they may not be', () => {
    const datagram = { ...plain, payload: new Uint8Array(1480) };
    expect(cut(datagram, 1500)).toHaveLength(1);
    expect(cut(datagram, 1500)[0]).toMatchObject({ moreFragments: false, offsetBytes: 0 });
    expect(cut(datagram, 1499)).toHaveLength(2);
    expect(fragmentIpv4({ ...datagram, dontFragment: true }, 1499)).toBeUndefined();
    expect(fragmentIpv4({ ...datagram, dontFragment: true }, 1500)).toHaveLength(1);
  });

  it('are as full as their network allows, in units of eight bytes', () => {
    const fragments = cut({ ...plain, payload: new Uint8Array(3000) }, 1500);
    expect(
      fragments.map(({ offsetBytes, payload, moreFragments }) => [
        offsetBytes,
        payload.length,
        moreFragments,
      ]),
    ).toEqual([
      [0, 1480, true],
      [1480, 1480, true],
      [2960, 40, false],
    ]);
  });

  it('may be cut again, and still know their place', () => {
    const payload = randomBytes(seeded(9), 4000);
    const small = cut({ ...plain, payload }, 1500).flatMap((each) => cut(each, 296));
    expect(small.slice(0, -1).every((each) => each.moreFragments)).toBe(true);
    const reassembly = new Ipv4Reassembly();
    const joined = small.map((each) => reassembly.accept(each, 1)).filter((each) => each !== undefined);
    expect(joined.map((each) => each.payload)).toEqual([payload]);
  });

  it('are refused for a network below the least size, and a payload beyond the greatest', () => {
    expect(() => fragmentIpv4({ ...plain, payload: new Uint8Array(100) }, 67)).toThrow(WireError);
    expect(() => fragmentIpv4({ ...plain, payload: new Uint8Array(65516) }, 1500)).toThrow(WireError);
    expect(cut({ ...plain, payload: new Uint8Array(65515) }, 1500).length).toBe(45);
  });
});

describe('ipv4 reassembly', () => {
  it('gives the bytes back whatever the sizes, the order and the repetitions', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9000 }),
        fc.integer({ min: 68, max: 1600 }),
        fc.integer({ min: 1, max: 0x7fffffff }),
        fc.constantFrom(none, hex('880301 00')),
        (sizeBytes, mtuBytes, seed, options) => {
          const random = seeded(seed);
          const payload = randomBytes(random, sizeBytes);
          const packets = cut({ ...plain, options, payload }, mtuBytes).map((each) => encodeIpv4(each));
          for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(mtuBytes);
          const repeated = packets.filter(() => random(4) === 0);
          const reassembly = new Ipv4Reassembly();
          const joined: Ipv4Datagram[] = [];
          for (const packet of shuffled(random, [...packets, ...repeated])) {
            const arrived = decodeIpv4(packet);
            const whole = arrived && reassembly.accept(arrived, 1);
            if (whole) joined.push(whole);
          }
          // Repetitions of all fragments may join a second time; what is joined is always right.
          expect(joined.length).toBeGreaterThanOrEqual(1);
          for (const whole of joined) {
            expect(whole).toMatchObject({ ...plain, offsetBytes: 0, moreFragments: false });
            expect(whole.options).toEqual(options);
            expect(sameBytes(whole.payload, payload)).toBe(true);
          }
        },
      ),
    );
  });

  it('keeps the datagrams of many senders apart', () => {
    const random = seeded(11);
    const datagrams = [
      plain,
      { ...plain, identification: 8 },
      { ...plain, source: asIpv4(3) },
      { ...plain, destination: asIpv4(3) },
      { ...plain, protocol: 81 },
    ].map((one) => ({ ...one, payload: randomBytes(random, 3000) }));
    const reassembly = new Ipv4Reassembly();
    const joined = shuffled(
      random,
      datagrams.flatMap((each) => [...cut(each, 600)]),
    )
      .map((each) => reassembly.accept(each, 1))
      .filter((each) => each !== undefined);
    expect(joined).toHaveLength(5);
    for (const { payload, ...key } of datagrams) {
      expect(
        joined.find((each) => Object.entries(key).every(([name, part]) => Reflect.get(each, name) === part))
          ?.payload,
      ).toEqual(payload);
    }
    expect([reassembly.pending, reassembly.counts.joined]).toEqual([0, 5]);
  });

  it('lets whole datagrams through untouched', () => {
    const whole = fragment(0, hex('01'), false);
    const reassembly = new Ipv4Reassembly();
    expect(reassembly.accept(whole, 1)).toBe(whole);
    expect(reassembly.pending).toBe(0);
  });

  it('keeps the bytes that came first where fragments overlap', () => {
    const of = (octet: number, count: number): Uint8Array => new Uint8Array(count).fill(octet);
    const reassembly = new Ipv4Reassembly();
    expect(reassembly.accept(fragment(8, of(2, 16), true), 1)).toBeUndefined();
    expect(reassembly.accept(fragment(0, of(1, 16), true), 1)).toBeUndefined();
    expect(reassembly.accept(fragment(8, of(3, 8), true), 1)).toBeUndefined();
    const whole = reassembly.accept(fragment(16, of(4, 20), false), 1);
    expect(whole?.payload).toEqual(Uint8Array.of(...of(1, 8), ...of(2, 16), ...of(4, 12)));
    expect(reassembly.counts).toEqual({ joined: 1, duplicates: 1, malformed: 0, expired: 0, evicted: 0 });
  });

  it('does not change when the sender reuses its buffer', () => {
    const reassembly = new Ipv4Reassembly();
    const buffer = new Uint8Array(8).fill(1);
    reassembly.accept(fragment(0, buffer, true), 1);
    buffer.fill(2);
    expect(reassembly.accept(fragment(8, buffer, false), 1)?.payload).toEqual(
      hex('0101010101010101 0202020202020202'),
    );
  });

  it('drops fragments that no datagram can have', () => {
    const reassembly = new Ipv4Reassembly();
    for (const bad of [
      fragment(0, new Uint8Array(7), true),
      fragment(0, none, true),
      fragment(65528, new Uint8Array(8), false),
      fragment(4, new Uint8Array(8), false),
    ]) {
      expect(reassembly.accept(bad, 1)).toBeUndefined();
    }
    expect([reassembly.counts.malformed, reassembly.pending]).toEqual([4, 0]);
  });

  it('holds on to the first end that it is told, and to nothing beyond it', () => {
    const reassembly = new Ipv4Reassembly();
    reassembly.accept(fragment(8, new Uint8Array(8).fill(2), false), 1);
    reassembly.accept(fragment(16, new Uint8Array(8), true), 1);
    reassembly.accept(fragment(8, new Uint8Array(4), false), 1);
    reassembly.accept(fragment(16, new Uint8Array(1), false), 1);
    expect(reassembly.counts.malformed).toBe(3);
    expect(reassembly.accept(fragment(0, new Uint8Array(8).fill(1), true), 1)?.payload).toEqual(
      hex('0101010101010101 0202020202020202'),
    );
    // An end before bytes that have arrived.
    reassembly.accept(fragment(16, new Uint8Array(8), true, 9), 1);
    reassembly.accept(fragment(8, new Uint8Array(8), false, 9), 1);
    expect(reassembly.counts.malformed).toBe(4);
  });

  it('drops a whole that is too long with the header that it turns out to have', () => {
    const reassembly = new Ipv4Reassembly();
    const last = fragment(65000, new Uint8Array(515), false);
    reassembly.accept(last, 1);
    const head = { ...fragment(0, new Uint8Array(65000), true), options: new Uint8Array(4) };
    expect(reassembly.accept(head, 1)).toBeUndefined();
    expect([reassembly.counts.malformed, reassembly.pending]).toEqual([1, 0]);
  });

  it('gives up at the deadline of the first fragment, which later ones do not move', () => {
    const reassembly = new Ipv4Reassembly();
    expect(reassembly.nextDeadlineNs).toBeUndefined();
    reassembly.accept(fragment(0, new Uint8Array(8), true, 1), 300);
    reassembly.accept(fragment(0, new Uint8Array(8), true, 2), 200);
    reassembly.accept(fragment(8, new Uint8Array(8), true, 2), 900);
    expect(reassembly.nextDeadlineNs).toBe(200);
    expect(reassembly.expire(199)).toBe(0);
    expect(reassembly.expire(200)).toBe(1);
    expect([reassembly.pending, reassembly.nextDeadlineNs]).toEqual([1, 300]);
    expect(reassembly.accept(fragment(16, new Uint8Array(8), false, 2), 1000)).toBeUndefined();
    expect(reassembly.expire(5000)).toBe(2);
    expect(reassembly.counts.expired).toBe(3);
  });

  it('makes room by forgetting what would expire first', () => {
    const reassembly = new Ipv4Reassembly({ datagramsMax: 2 });
    reassembly.accept(fragment(0, new Uint8Array(8), true, 1), 30);
    reassembly.accept(fragment(0, new Uint8Array(8), true, 2), 20);
    reassembly.accept(fragment(0, new Uint8Array(8), true, 3), 40);
    expect([reassembly.pending, reassembly.counts.evicted, reassembly.nextDeadlineNs]).toEqual([2, 1, 30]);
    expect(reassembly.accept(fragment(8, none, false, 1), 50)?.payload).toHaveLength(8);
    expect(reassembly.accept(fragment(8, none, false, 2), 50)).toBeUndefined();
  });

  it('never throws and never holds more than it may on hostile fragments', () => {
    const seed = 815;
    const random = seeded(seed);
    const reassembly = new Ipv4Reassembly({ datagramsMax: 4 });
    for (let trial = 0; trial < 4000; trial++) {
      const hostile = {
        ...fragment(
          8 * random(random(5) === 0 ? 8192 : 8),
          randomBytes(random, random(40)),
          random(3) > 0,
          random(6),
        ),
        options: new Uint8Array(random(41)),
      };
      const whole = reassembly.accept(hostile, trial + random(100));
      if (whole) expect(whole.payload.length).toBeLessThanOrEqual(65515);
      if (random(20) === 0) reassembly.expire(trial);
      expect(reassembly.pending, `seed ${seed}, trial ${trial}`).toBeLessThanOrEqual(4);
    }
    const { joined, duplicates, malformed, evicted } = reassembly.counts;
    for (const count of [joined, duplicates, malformed, evicted]) expect(count).toBeGreaterThan(0);
  });
});
