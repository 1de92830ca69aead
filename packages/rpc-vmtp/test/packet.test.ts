import { Engine, type RandomStream } from '@backplane/engine';
import { controlBytes, Frame, type Message, MessageFlag, message, wordOf } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  ArrivingGroup,
  type ChecksumCover,
  ClusterSums,
  encodeHeading,
  entityOf,
  flaws,
  groupFlags,
  type Heading,
  headerBytes,
  isSound,
  maskBytes,
  Packet,
  packetGroup,
  packetParts,
  sentBlocks,
  vmtpHeader,
  vmtpManagerGroup,
} from '../src/index.ts';
import {
  arrive,
  asked,
  asker,
  bare,
  frameOf,
  goldenPacket,
  joined,
  packetOf,
  packetsOf,
  pattern,
  request,
  response,
  same,
  unsummed,
} from './hand.ts';

const { set } = vmtpHeader;

const covers: readonly ChecksumCover[] = ['none', 'packet', 'header'];

/** A sound packet with one thing changed, and no checksum that would tell. */
function changed(name: string, change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = unsummed(goldenPacket(name));
  change(bytes);
  return bytes;
}

const bareWith = (change: (bytes: Uint8Array) => void): Uint8Array => changed('a bare request', change);
const fiveWith = (change: (bytes: Uint8Array) => void): Uint8Array =>
  changed('a request with five bytes', change);

describe('vmtp, packets that are none', () => {
  it('names what is wrong', () => {
    const wrong: readonly (readonly [(typeof flaws)[number], Uint8Array])[] = [
      ['tooShort', new Uint8Array(0)],
      ['tooShort', goldenPacket('a bare request').subarray(0, 67)],
      ['tooShort', goldenPacket('a bare request').subarray(0, 31)],
      ['version', bareWith((b) => set.version(b, 0, 1))],
      ['domain', bareWith((b) => set.domain(b, 0, 3))],
      ['encrypted', bareWith((b) => set.encrypted(b, 0, 1))],
      ['oddLength', fiveWith((b) => set.lengthWords(b, 0, 1))],
      ['beyondGroup', fiveWith((b) => set.lengthWords(b, 0, 4098))],
      ['wrongLength', fiveWith((b) => set.lengthWords(b, 0, 4))],
      ['wrongLength', goldenPacket('a request with five bytes').subarray(0, 72)],
      ['wrongLength', Uint8Array.from([...goldenPacket('a bare request'), 0])],
      ['checksum', bareWith((b) => b.set([0, 0, 0, 1], 64))],
      ['reservedBits', bareWith((b) => set.unassigned(b, 0, 4))],
      ['reservedBits', changed('a response', (b) => set.delayResponse(b, 0, 1))],
      ['reservedBits', changed('a response', (b) => set.flags(b, 0, groupFlags.memberOfDestination))],
      ['zeroClient', bareWith((b) => b.fill(0, 0, 8))],
      ['groupClient', bareWith((b) => set.clientHigh(b, 0, 0x4000_0001))],
      ['zeroServer', bareWith((b) => b.fill(0, 24, 32))],
      ['groupResponder', changed('a response', (b) => set.serverHigh(b, 0, 0x6000_0001))],
      ['segmentTooLong', fiveWith((b) => set.segmentBytes(b, 0, 16_385))],
      ['segmentTooLong', fiveWith((b) => set.segmentBytes(b, 0, 0xffff_ffff))],
      ['strayBlocks', bareWith((b) => set.packetDelivery(b, 0, 1))],
      ['strayBlocks', fiveWith((b) => set.code(b, 0, 0x42))],
      ['blocksBeyondSegment', fiveWith((b) => set.packetDelivery(b, 0, 2))],
      ['blocksBeyondSegment', fiveWith((b) => set.segmentBytes(b, 0, 0))],
      ['blocksNotSent', changed('a response without one of its blocks', (b) => set.messageDelivery(b, 0, 4))],
      ['wrongData', fiveWith((b) => set.segmentBytes(b, 0, 9))],
      ['wrongData', fiveWith((b) => set.packetDelivery(b, 0, 0))],
    ];
    for (const [flaw, bytes] of wrong) expect(arrive(bytes)).toBe(flaw);
    expect(new Set(wrong.map(([flaw]) => flaw))).toEqual(new Set(flaws));
  });

  it('tells what an encrypted packet says in clear: its client, and whether it was multicast', () => {
    const packet = new Packet();
    const bytes = bareWith((b) => {
      set.encrypted(b, 0, 1);
      set.multicast(b, 0, 1);
    });
    expect(arrive(bytes, packet)).toBe('encrypted');
    expect(packet).toMatchObject({ client: asker, multicast: true });
  });

  it('takes what is unusual but right', () => {
    const right: readonly Uint8Array[] = [
      // The code's reserved flag, which the RFC's own list of operations sets.
      bareWith((b) => set.code(b, 0, 0x0d00_0102)),
      // Padding may be anything.
      fiveWith((b) => b.set([1, 2, 3], 69)),
      // A request that is sent again without its data.
      bareWith((b) => {
        set.code(b, 0, 0x1000_0042);
        set.segmentBytes(b, 0, 16_384);
      }),
      bareWith((b) => set.forwardCount(b, 0, 15)),
      bareWith((b) => set.delayResponse(b, 0, 1)),
      // A mask of blocks that the segment does not have names none.
      changed('a response without one of its blocks', (b) => set.messageDelivery(b, 0, 0xffff_fff5)),
    ];
    for (const bytes of right) expect(arrive(bytes)).toBe('packet');
  });

  it('gives packets of runs and of continued messages as they are, to be refused', () => {
    for (const flag of [groupFlags.notStartOfRun, groupFlags.notEndOfRun, groupFlags.continued]) {
      const packet = packetOf(
        fiveWith((b) => {
          set.flags(b, 0, flag);
          set.segmentBytes(b, 0, 4_000_000);
        }),
      );
      expect(packet).toMatchObject({ streamed: true, sentBlocks: 0, delivery: 1 });
      expect(packet.data.length).toBe(8);
      expect(new ArrivingGroup(packetOf(goldenPacket('a request with five bytes'))).add(packet)).toBe(
        'contradicts',
      );
    }
  });
});

describe('vmtp, checksums', () => {
  it('adds up in pieces of any length what it adds up at once', () => {
    const random = new Engine({ seed: 41 }).random('sums');
    for (let i = 0; i < 200; i++) {
      const bytes = pattern(2 * random.below(700), i);
      const whole = new ClusterSums().start().add(bytes).value();
      const sums = new ClusterSums().add(pattern(9)).start();
      for (let at = 0; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + 1 + random.below(100));
        sums.add(bytes.subarray(at, end));
        at = end;
      }
      expect(sums.value(), `seed 41, round ${i}`).toBe(whole);
    }
  });

  it('is never zero in either half', () => {
    expect(new ClusterSums().value()).toBe(0xffff_ffff);
    expect(new ClusterSums().add(new Uint8Array(96)).value()).toBe(0xffff_ffff);
    expect(new ClusterSums().add(new Uint8Array(32).fill(0xff)).value()).toBe(0xffff_ffff);
    expect(new ClusterSums().add(Uint8Array.of(0xff, 0xff, 0, 1)).value()).toBe(0x0001_ffff);
    expect(new ClusterSums().add(new Uint8Array(33).fill(1, 32)).value()).toBe(0xffff_0100);
  });

  it('of the header alone lets the data change', () => {
    const m = message({ code: 1, segment: pattern(700) });
    for (const cover of covers) {
      const [bytes = new Uint8Array(0)] = packetsOf(request, m, { cover });
      expect(arrive(bytes)).toBe('packet');
      const data = bytes.slice();
      data[200] = (data[200] ?? 0) ^ 1;
      expect(arrive(data), cover).toBe(cover === 'packet' ? 'checksum' : 'packet');
      const code = bytes.slice();
      code[35] = (code[35] ?? 0) ^ 1;
      expect(arrive(code), cover).toBe(cover === 'none' ? 'packet' : 'checksum');
    }
  });

  it('covers padding, whatever it is', () => {
    for (let segmentBytes = 1; segmentBytes < 40; segmentBytes++) {
      const [bytes = new Uint8Array(0)] = packetsOf(
        request,
        message({ code: 1, segment: pattern(segmentBytes, 3) }),
        { cover: 'packet' },
      );
      expect(arrive(bytes), `${segmentBytes} bytes`).toBe('packet');
      const last = bytes.length - 5;
      bytes[last] = (bytes[last] ?? 0) ^ 0x80;
      expect(arrive(bytes), `${segmentBytes} bytes`).toBe('checksum');
    }
  });
});

describe('vmtp, packets by reference', () => {
  it('copies neither the message nor its blocks, on the way out and in', () => {
    const m = message({ code: 1, segment: pattern(1200) });
    const parts = packetParts(encodeHeading(request), m, sentBlocks(m));
    expect(parts[1]).toBe(m.control);
    expect(parts[2]).toBe(m.segment);
    const packet = new Packet();
    expect(packet.read(frameOf(parts))).toBeUndefined();
    expect(packet.control).toBe(m.control);
    expect(packet.data).toBe(m.segment);
    const group = new ArrivingGroup(packet);
    packet.release();
    expect(packet.data.length).toBe(0);
    expect(group.message()).toEqual(m);
    expect(group.message()?.segment.buffer).toBe(m.segment.buffer);
  });

  it('takes views of a segment in several packets', () => {
    const m = message({ code: 1, segment: pattern(16_384) });
    for (const parts of packetGroup(encodeHeading(request), m, sentBlocks(m), 1432)) {
      expect(parts[1]).toBe(m.control);
      expect(parts[2]?.buffer).toBe(m.segment.buffer);
    }
  });

  it('puts packets together where their sender has them, in any order, and shows nothing else of it', () => {
    const segment = pattern(3000, 9);
    const m = message({ code: 1, flags: MessageFlag.partial, words: [0, 0, 0, 0, 0, 0x3f], segment });
    const heading = encodeHeading(request);
    const packet = new Packet();
    const take = (mask: number): Packet => {
      expect(packet.read(frameOf(packetParts(heading, m, mask)))).toBeUndefined();
      return packet;
    };
    const group = new ArrivingGroup(take(0x20));
    expect(group.add(take(0x3))).toBe('more');
    const holed = segment.slice().fill(0, 1024, 2560);
    expect(group.message()?.segment).toEqual(holed);
    expect(group.prefix()).toEqual(segment.subarray(0, 1024));
    expect(group.add(take(0x1c))).toBe('complete');
    const whole = group.message()?.segment;
    expect([whole?.buffer === segment.buffer, whole]).toEqual([true, segment]);
  });

  it('puts packets together in an array of its own when they lie in several', () => {
    const m = message({ code: 1, segment: pattern(3000, 9) });
    const heading = encodeHeading(request);
    const packet = new Packet();
    const take = (mask: number, apart: boolean): Packet => {
      const parts = packetParts(heading, m, mask);
      const bytes = apart ? [frameOf(parts).payload()] : parts;
      expect(packet.read(frameOf(bytes))).toBeUndefined();
      return packet;
    };
    for (const [first, second, third] of [
      [false, false, true],
      [false, true, false],
      [true, false, false],
      [true, true, true],
    ] as const) {
      const group = new ArrivingGroup(take(0x21, first));
      expect(group.add(take(0x2, second))).toBe('more');
      expect(group.add(take(0x1c, third))).toBe('complete');
      expect(group.message()?.segment).toEqual(m.segment);
    }
  });

  it('leaves the heading of the group as it is', () => {
    const heading = encodeHeading({ ...request, multicast: true });
    const before = heading.slice();
    for (const cover of covers)
      packetGroup(heading, message({ code: 1, segment: pattern(3000) }), 0xffff_ffff, 1432, cover);
    expect(heading).toEqual(before);
  });

  it('reads the same from one part as from many', () => {
    const m = message({
      code: 1,
      flags: MessageFlag.partial,
      words: [0, 0, 0, 0, 0, 0b101],
      segment: pattern(1100),
    });
    for (const cover of covers) {
      const parts = packetParts(encodeHeading(response), m, 0b101, cover);
      const [one, many] = [new Packet(), new Packet()];
      expect(one.read(new Frame(0, 0, 0, [joined(parts)]))).toBeUndefined();
      expect(many.read(frameOf(parts))).toBeUndefined();
      expect(many.data).toEqual(one.data);
      expect(many).toEqual(one);
    }
  });
});

describe('vmtp, packet groups', () => {
  it('knows messages that can travel', () => {
    const segment = pattern(600);
    expect(isSound(bare)).toBe(true);
    expect(isSound(message({ code: 1, segment }))).toBe(true);
    const { control } = message({ code: 1, segment });
    expect(isSound({ control, segment: segment.subarray(1) })).toBe(false);
    expect(isSound({ control: bare.control, segment })).toBe(false);
    expect(isSound({ control: control.subarray(1), segment })).toBe(false);
    expect(isSound(message({ code: 1, segment: new Uint8Array(16_385) }))).toBe(false);
    expect(control.length).toBe(controlBytes);
  });

  it('sends a packet without data when no blocks are wanted, and starts a group with it', () => {
    const m = message({ code: 1, segment: pattern(1536) });
    const again = { ...request, retransmitCount: 9, flags: groupFlags.acknowledge };
    const [head = new Uint8Array(0), ...rest] = packetsOf(again, m, { mask: 0 });
    expect(rest).toEqual([]);
    expect(head.length).toBe(headerBytes + 4);
    expect(packetOf(head)).toMatchObject({ retransmitCount: 1, flags: groupFlags.acknowledge, delivery: 0 });
    const group = new ArrivingGroup(packetOf(head));
    expect(group).toMatchObject({ complete: false, missing: 0b111, received: 0 });
    expect(group.prefix().length).toBe(0);
    const [first = new Uint8Array(0), second = new Uint8Array(0)] = packetsOf(request, m);
    expect(group.add(packetOf(second))).toBe('more');
    expect(group.prefix().length).toBe(0);
    expect(group.add(packetOf(head))).toBe('repeated');
    expect(group.add(packetOf(second))).toBe('repeated');
    expect(group.add(packetOf(first))).toBe('complete');
    expect(group.message()).toEqual(m);
  });

  it('refuses a packet that says something else than the first', () => {
    const m = message({ code: 1, words: [1], segment: pattern(1536) });
    const [first = new Uint8Array(0)] = packetsOf(request, m);
    const group = new ArrivingGroup(packetOf(first));
    const contradicts = (heading: Heading, other: Message): string => {
      const packets = packetsOf(heading, other);
      return group.add(packetOf(packets.at(-1) ?? first));
    };
    const other = entityOf(9, 9);
    expect(contradicts({ ...request, client: other }, m)).toBe('contradicts');
    expect(contradicts({ ...request, server: other }, m)).toBe('contradicts');
    expect(contradicts({ ...request, server: vmtpManagerGroup }, m)).toBe('contradicts');
    expect(contradicts({ ...request, response: true }, m)).toBe('contradicts');
    expect(contradicts({ ...request, transaction: 2 }, m)).toBe('contradicts');
    expect(contradicts({ ...request, priority: 3 }, m)).toBe('contradicts');
    expect(contradicts({ ...request, forwardCount: 1 }, m)).toBe('contradicts');
    expect(contradicts(request, message({ code: 2, words: [1], segment: m.segment }))).toBe('contradicts');
    expect(contradicts(request, message({ code: 1, words: [2], segment: m.segment }))).toBe('contradicts');
    expect(contradicts(request, message({ code: 1, words: [1], segment: pattern(1537) }))).toBe(
      'contradicts',
    );
    expect(group.received).toBe(0b11);
    // What concerns the transmission may differ.
    const again: Heading = {
      ...request,
      retransmitCount: 3,
      flags: groupFlags.acknowledge,
      gap: 4,
      multicast: true,
    };
    expect(contradicts(again, m)).toBe('complete');
    expect(group.message()).toEqual(m);
  });

  it('delivers what came of a message that may lack blocks, and says which', () => {
    const m = message({
      code: 1,
      flags: MessageFlag.partial,
      words: [0, 0, 0, 0, 0, 0xffff_ffff],
      segment: pattern(2000),
    });
    const packets = packetsOf(response, m, { dataBytes: 512 });
    expect(packets.length).toBe(4);
    const group = new ArrivingGroup(packetOf(packets[3] as Uint8Array));
    expect(group.add(packetOf(packets[1] as Uint8Array))).toBe('more');
    const delivered = group.message();
    if (delivered === undefined) throw new Error('a partial message is always delivered');
    expect(wordOf(delivered, 6)).toBe(0b1010);
    const expected = m.segment.slice();
    expected.fill(0, 0, 512).fill(0, 1024, 1536);
    expect(same(delivered.segment, expected)).toBe(true);
    expect(delivered.control.subarray(0, 24)).toEqual(m.control.subarray(0, 24));
    // The sender's own bytes are as they were.
    expect(wordOf(m, 6)).toBe(0xffff_ffff);
    group.add(packetOf(packets[0] as Uint8Array));
    expect(group.prefix().length).toBe(1024);
    group.add(packetOf(packets[2] as Uint8Array));
    const whole = group.message();
    expect(whole && wordOf(whole, 6)).toBe(0b1111);
    expect(whole && same(whole.segment, m.segment)).toBe(true);
  });

  it('gives the start of a message that lacks blocks and may not', () => {
    const m = message({ code: 1, segment: pattern(2000) });
    const packets = packetsOf(response, m, { dataBytes: 512 });
    const group = new ArrivingGroup(packetOf(packets[0] as Uint8Array));
    group.add(packetOf(packets[2] as Uint8Array));
    expect(group.message()).toBeUndefined();
    expect(group.missing).toBe(0b1010);
    expect(same(group.prefix(), m.segment.subarray(0, 512))).toBe(true);
  });

  it('brings every message through, in packets of any size, in any order, some of them twice', () => {
    const random = new Engine({ seed: 42 }).random('messages');
    for (let i = 0; i < 400; i++) {
      const about = `seed 42, round ${i}`;
      const m = anyMessage(random);
      const heading = anyHeading(random);
      const packets = packetsOf(heading, m, {
        dataBytes: random.pick([512, 1408, 1432, 4096]),
        cover: random.pick(covers),
      });
      random.shuffle(packets);
      const [first = new Uint8Array(0), ...rest] = packets;
      const group = new ArrivingGroup(packetOf(first));
      for (const bytes of rest) {
        expect(group.complete, about).toBe(false);
        expect(group.add(packetOf(bytes)), about).toMatch(/more|complete/);
        if (random.chance(0.3)) expect(group.add(packetOf(bytes)), about).toBe('repeated');
      }
      expect(group.complete, about).toBe(true);
      expect(group, about).toMatchObject({ client: heading.client, server: heading.server });
      const arrived = group.message();
      if (arrived === undefined) throw new Error(about);
      expect(isSound(arrived), about).toBe(true);
      const sent = sentBlocks(m);
      expect(sentBlocks(arrived), about).toBe(sent);
      expect(arrived.control.subarray(0, 24), about).toEqual(m.control.subarray(0, 24));
      const expected = m.segment.slice();
      for (let at = 0, bit = 1; at < expected.length; at += 512, bit *= 2)
        if (Math.floor(sent / bit) % 2 === 0) expected.fill(0, at, at + 512);
      expect(same(arrived.segment, expected), about).toBe(true);
      expect(packets.length, about).toBeLessThanOrEqual(
        Math.max(1, Math.ceil(maskBytes(sent, m.segment.length) / 512)),
      );
    }
  });

  it('reads every heading that it writes', () => {
    const random = new Engine({ seed: 43 }).random('headings');
    const packet = new Packet();
    for (let i = 0; i < 500; i++) {
      const heading = anyHeading(random);
      const [bytes = new Uint8Array(0)] = packetsOf(heading, bare, { cover: random.pick(covers) });
      expect(arrive(bytes, packet), `seed 43, round ${i}`).toBe('packet');
      expect(packet, `seed 43, round ${i}`).toMatchObject(heading);
    }
  });
});

function anyMessage(random: RandomStream): Message {
  const segment = random.chance(0.3)
    ? new Uint8Array(0)
    : pattern(1 + random.below(16_384), random.below(256));
  const user = Array.from({ length: 7 }, () => random.uint32());
  return message({
    code: random.below(0x100_0000),
    // Where there is no segment, the flag is not set, and its words are the user's.
    flags: random.below(256) & ~MessageFlag.segment,
    words: user,
    segment,
  });
}

function anyHeading(random: RandomStream): Heading {
  const isResponse = random.chance(0.5);
  const flags = groupFlags.nextReceiveSequence | groupFlags.acknowledge | groupFlags.noRetransmission;
  return {
    client: entityOf((random.uint32() & 0xbfff_ffff) >>> 0, 1 + random.below(0xffff_ffff)),
    server: isResponse ? asked : entityOf(random.uint32(), 1 + random.below(0xffff_ffff)),
    response: isResponse,
    transaction: random.uint32(),
    priority: random.below(16),
    flags: random.below(256) & (isResponse ? flags : flags | groupFlags.memberOfDestination),
    multicast: random.chance(0.5),
    delayResponse: !isResponse && random.chance(0.5),
    retransmitCount: random.below(8),
    forwardCount: random.below(16),
    gap: random.below(256),
  };
}
