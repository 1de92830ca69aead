import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { broadcastAddress, Frame, hostId, isBackplaneError } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { ETHER_TYPES } from '@backplane/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { arpLocator } from '../src/index.ts';
import { type Host, Segment, type SegmentNic, station } from './segment.ts';

let segment: Segment;
let one: Host;
let two: Host;

const hostTwo = hostId(2);
const digits = (frame: Frame): string =>
  Array.from(frame.payload(), (byte) => byte.toString(16).padStart(2, '0')).join('');

beforeEach(() => {
  segment = new Segment();
  one = segment.host(1);
  two = segment.host(2);
});

describe('address resolution', () => {
  it('asks everybody and takes the answer of the one who is meant', () => {
    segment.host(3);
    expect(one.locator.known(hostTwo)).toBeUndefined();
    expect(segment.drive(one.locator.locate(hostTwo))).toBe(station(2));
    expect(one.locator.known(hostTwo)).toBe(station(2));
    // Ethernet, Sprite's type, 6 and 4 bytes, operation; sender; target.
    expect(segment.carried.map(({ frame }) => [frame.destination, frame.type, digits(frame)])).toEqual([
      [broadcastAddress, 0x0806, '0001050006040001' + '02000000000100000001' + '00000000000000000002'],
      [station(1), 0x0806, '0001050006040002' + '02000000000200000002' + '02000000000100000001'],
    ]);
    expect([one.machine.read('arp.requests'), two.machine.read('arp.replies')]).toEqual([1, 1]);
  });

  it('asks nobody about a host that it knows, and about itself', () => {
    segment.drive(one.locator.locate(hostTwo));
    segment.drive(one.locator.locate(hostTwo));
    expect(segment.drive(one.locator.locate(hostId(1)))).toBe(station(1));
    expect(segment.carried).toHaveLength(2);
  });

  it('knows who has asked for it', () => {
    segment.drive(one.locator.locate(hostTwo));
    expect(two.locator.known(hostId(1))).toBe(station(1));
  });

  it('asks four times, half a second apart, before it calls a host down', () => {
    expect(segment.drive(kindOf(one.locator.locate(hostId(9))))).toBe('peerDown');
    expect(segment.carried.map(({ atNs }) => atNs)).toEqual([0, 500, 1000, 1500].map(ms));
    expect(segment.engine.nowNs).toBe(seconds(2));
    expect(one.machine.read('arp.timeouts')).toBe(1);
  });

  it('finds a host although questions and answers are lost', () => {
    let lose = 3;
    segment.loses = () => lose-- > 0;
    expect(segment.drive(one.locator.locate(hostTwo))).toBe(station(2));
    expect(segment.carried).toHaveLength(5);
  });

  it('asks once for all who want to know', () => {
    const found: number[] = [];
    for (let i = 0; i < 5; i++) {
      one.machine.scope.spawn(
        'asker',
        (function* (): Task<void> {
          yield* sleep(10_000 * i);
          found.push(yield* one.locator.locate(hostTwo));
        })(),
      );
    }
    segment.engine.run();
    expect(found).toEqual([2, 2, 2, 2, 2].map(station));
    expect(segment.carried).toHaveLength(2);
  });

  it('answers the others although the first of them is cancelled', () => {
    const slow = segment.host(4, { costs: { packetSendNs: 300_000 } });
    const first = slow.machine.scope.spawn('first', slow.locator.locate(hostTwo));
    const second = slow.machine.scope.spawn('second', kindOf(slow.locator.locate(hostTwo)));
    segment.engine.run(10_000);
    first.cancel();
    segment.engine.run();
    expect([first.ended, second.ended, slow.locator.known(hostTwo)]).toEqual([true, true, station(2)]);
  });

  it('stops asking when a frame has shown the host', () => {
    const waiter = one.machine.scope.spawn('waiter', one.locator.locate(hostId(9)));
    segment.engine.run(ms(700));
    one.locator.learn(hostId(9), 0x020000000099);
    segment.engine.run();
    expect(waiter.ended).toBe(true);
    expect(segment.carried).toHaveLength(2);
  });

  it('forgets what turned out wrong, and asks anew', () => {
    segment.drive(one.locator.locate(hostTwo));
    one.locator.forget(hostTwo);
    one.locator.forget(hostId(1)); // never itself
    expect([one.locator.known(hostTwo), one.locator.known(hostId(1))]).toEqual([undefined, station(1)]);
    segment.drive(one.locator.locate(hostTwo));
    expect(segment.carried).toHaveLength(4);
  });

  it('believes a host that asks from another station, if it knew the host', () => {
    segment.drive(one.locator.locate(hostTwo));
    const moved = segment.attach(0x0200000000aa);
    // Host 2 asks for host 7 from there.
    moved.send(packet(moved, '0001050006040001' + '0200000000aa00000002' + '00000000000000000007'));
    // So does a host that nobody knew.
    moved.send(packet(moved, '0001050006040001' + '0200000000aa00000008' + '00000000000000000007'));
    segment.engine.run();
    expect([one.locator.known(hostTwo), one.locator.known(hostId(8))]).toEqual([0x0200000000aa, undefined]);
  });

  it('charges the packets', () => {
    const slow = segment.host(5, { costs: { packetSendNs: 250_000, packetReceiveNs: 300_000 } });
    const times = segment.drive(
      (function* (): Task<number[]> {
        const thread = slow.machine.scope.spawn('asker', slow.locator.locate(hostTwo));
        yield* thread.join();
        return [segment.engine.nowNs, ...segment.carried.map(({ atNs }) => atNs)];
      })(),
    );
    // Send, two ways of 100 us, receive.
    expect(times).toEqual([750_000, 250_000, 350_000]);
    segment.carried.length = 0;
    const startNs = segment.engine.nowNs;
    segment.drive(one.locator.locate(hostId(5)));
    expect(segment.carried[1]?.atNs).toBe(startNs + 100_000 + 300_000 + 250_000);
  });
});

describe('address resolution, bytes from anybody', () => {
  it('counts what is malformed and takes nothing from it', () => {
    const hand = segment.attach(0x0200000000bb);
    for (const bad of [
      '',
      '00010500060400', // too short
      '0006050006040002' + '0200000000bb00000009' + '02000000000100000001', // not Ethernet
      '0001050008040002' + '0200000000bb00000009' + '02000000000100000001', // addresses of 8 bytes
      '0001050006040005' + '0200000000bb00000009' + '02000000000100000001', // no such operation
      '0001050006040002' + '0300000000bb00000009' + '02000000000100000001', // a group of stations
      '0001050006040002' + '0200000000bb000000c8' + '02000000000100000001', // no such host: 200
      '0001050006040002' + '0200000000bb00000000' + '02000000000100000001',
    ])
      hand.send(packet(hand, bad));
    segment.engine.run();
    expect(one.machine.read('arp.malformed')).toBe(8);
    for (let host = 2; host < 200; host++) expect(one.locator.known(hostId(host))).toBeUndefined();
  });

  it('leaves questions about internet addresses, and replies to others, alone', () => {
    const hand = segment.attach(0x0200000000bb);
    hand.send(packet(hand, '0001080006040001' + '0200000000bb0a010009' + '0000000000000a010001'));
    hand.send(packet(hand, '0001050006040002' + '0200000000bb00000009' + '02000000000200000002'));
    segment.engine.run();
    expect([one.machine.read('arp.malformed'), one.machine.read('arp.replies')]).toEqual([0, 0]);
    expect(one.locator.known(hostId(9))).toBeUndefined();
  });

  it('never throws, whatever arrives', () => {
    const random = segment.engine.random('fuzz');
    const hand = segment.attach(0x0200000000bb);
    for (let i = 0; i < 2000; i++) {
      const bytes = hex('0001050006040001' + '0200000000bb00000009' + '00000000000000000001');
      for (let flips = random.below(6); flips > 0; flips--) {
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      }
      hand.send(new Frame(station(1), hand.address, ETHER_TYPES.arp, [bytes.subarray(0, random.below(29))]));
    }
    segment.engine.run();
    expect(one.machine.read('arp.malformed')).toBeGreaterThan(1000);
    expect(one.locator.known(hostId(1))).toBe(station(1));
  });
});

describe('the board', () => {
  it('says the same in its code and in its manifest', () => {
    expect(arpLocator.componentName).toBe(manifest.name);
    expect(arpLocator.version).toBe(manifest.version);
    expect(arpLocator.requires).toEqual(manifest.backplane.requires);
    expect([arpLocator.slot]).toEqual(manifest.backplane.provides);
  });

  it('takes the interface that is named, or the only one', () => {
    segment.host(6, { interfaces: ['eth0', 'eth1'], options: { nic: 'eth1' } });
    for (const o of [{ interfaces: ['eth0', 'eth1'] }, { options: { nic: 'eth2' } }]) {
      try {
        segment.host(7, o);
        expect.unreachable();
      } catch (e) {
        expect(isBackplaneError(e) && e.code).toBe('WRONG_OPTION');
      }
    }
  });

  it('asks as often and waits as long as its options say', () => {
    const hasty = segment.host(8, { options: { tries: 2, waitMs: 10 } });
    expect(segment.drive(kindOf(hasty.locator.locate(hostId(99))))).toBe('peerDown');
    expect(segment.engine.nowNs).toBe(ms(20));
  });
});

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function packet(from: SegmentNic, text: string): Frame {
  return new Frame(broadcastAddress, from.address, ETHER_TYPES.arp, [hex(text)]);
}
