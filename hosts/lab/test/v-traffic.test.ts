import {
  allBlocks,
  encodeHeading,
  entityNumber,
  type Heading,
  managementCodes,
  nextPacketBlocks,
  packetDataBytes,
  packetParts,
} from '@backplane/rpc-vmtp';
import { broadcastAddress, Frame, type Medium, type Message, MessageFlag, message } from '@backplane/slots';
import { asIpv4, ETHER_TYPES, encodeIpv4, IP_PROTOCOLS } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { countTraffic, type Traffic } from '../src/experiments/v-traffic.ts';

const station = 0x0800_2000_0001;
const heading: Heading = {
  client: entityNumber(0, 1, 0x0a01_0001),
  server: entityNumber(0, 2, 0x0a01_0002),
  response: false,
  transaction: 7,
};

/** What is counted of these frames. */
function counted(frames: readonly Frame[]): Traffic {
  let seen: ((f: Frame) => void) | undefined;
  const medium: Pick<Medium, 'tap'> = {
    tap(listener) {
      seen = (f) => listener(f, 0, 'mace');
      return () => {
        seen = undefined;
      };
    },
  };
  const { traffic, end } = countTraffic(medium);
  for (const f of frames) seen?.(f);
  end();
  expect(seen).toBeUndefined();
  return traffic;
}

const frame = (parts: readonly Uint8Array[], destination = station, type: number = ETHER_TYPES.v): Frame =>
  new Frame(destination, station + 1, type, parts);

/** The packets of a message. */
function packets(m: Message, h: Heading = heading): readonly (readonly Uint8Array[])[] {
  const all = allBlocks(m.segment.length);
  const head = encodeHeading(h);
  const sent: (readonly Uint8Array[])[] = [];
  let left = all;
  do {
    const blocks = nextPacketBlocks(left, m.segment.length, packetDataBytes(1500));
    sent.push(packetParts(head, m, blocks));
    left = (left & ~blocks) >>> 0;
  } while (left !== 0);
  return sent;
}

const bare = message({ code: 5, words: [1, 2, 3] });
const long = message({ code: 5, segment: new Uint8Array(8192) });

describe('the traffic of V', () => {
  it('has a message for each request and response, however many packets it takes', () => {
    const frames = [...packets(bare), ...packets(long, { ...heading, response: true })].map((p) => frame(p));
    expect(frames.length).toBeGreaterThan(5);
    expect(counted(frames)).toEqual({
      packets: frames.length,
      multicastPackets: 0,
      messages: 2,
      shortMessages: 1,
    });
  });

  it('has none for what is sent again, and for what managers ask one another', () => {
    const again = packets(bare, { ...heading, retransmitCount: 1 });
    const probe = message({ code: managementCodes.probeEntity & 0xff_ffff, flags: MessageFlag.publicCode });
    const frames = [...again, ...packets(probe)].map((p) => frame(p));
    expect(counted(frames)).toEqual({ packets: 2, multicastPackets: 0, messages: 0, shortMessages: 0 });
  });

  it('is found in internet datagrams, too, and nowhere else', () => {
    const payload = new Uint8Array(packets(bare)[0]?.flatMap((part) => [...part]) ?? []);
    const address = asIpv4(0x0a01_0001);
    const within = (protocol: number): Frame =>
      frame(
        [encodeIpv4({ source: address, destination: address, protocol, identification: 1, payload })],
        station,
        ETHER_TYPES.ipv4,
      );
    expect(counted([within(IP_PROTOCOLS.vmtp)]).shortMessages).toBe(1);
    expect(counted([within(IP_PROTOCOLS.udp), frame([payload], station, ETHER_TYPES.arp)])).toEqual({
      packets: 2,
      multicastPackets: 0,
      messages: 0,
      shortMessages: 0,
    });
  });

  it('is multicast where a group of stations is meant, or all', () => {
    const [packet = []] = packets(bare);
    const group = 0x0100_5e00_0001;
    const frames = [frame(packet), frame(packet, group), frame(packet, broadcastAddress)];
    expect(counted(frames).multicastPackets).toBe(2);
  });

  it('bears frames that are too short for any of it', () => {
    expect(counted([frame([new Uint8Array(3)]), frame([], station, ETHER_TYPES.ipv4)]).messages).toBe(0);
  });
});
