/** Packets written by hand from the figures of RFC 1045, section 3.3; see `hand.ts`. What is sent must be these bytes. */
import { entityIn, type Message, MessageFlag, message, wordOf } from '@backplane/slots';
import { decodeUtf8, encodeUtf8 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import {
  ArrivingGroup,
  controlFields,
  controlWord,
  functions,
  groupFlags,
  type Heading,
  notifyVmtpClient,
  notifyVmtpServer,
  operationOf,
  packetDataBytes,
  probeEntity,
  responseCodes,
  vmtpDefaultClient,
  vmtpHeader,
  vmtpManagerGroup,
} from '../src/index.ts';
import {
  asked,
  asker,
  bare,
  golden,
  goldenPacket,
  packetOf,
  packetsOf,
  request,
  response,
  unsummed,
  words,
} from './hand.ts';

/** Sends the message in one packet: with a checksum the golden bytes, without one these with zeros in its place. */
function sends(name: string, heading: Heading, m: Message): void {
  const expected = goldenPacket(name);
  expect(packetsOf(heading, m, { cover: 'packet' }).map(words)).toEqual([words(expected)]);
  expect(packetsOf(heading, m).map(words)).toEqual([words(unsummed(expected))]);
}

const hello = message({ code: 0x42, segment: encodeUtf8('hello') });
const blocks = (...bytes: readonly [byte: number, count: number][]): Uint8Array =>
  Uint8Array.from(bytes.flatMap(([byte, count]) => Array.from({ length: count }, () => byte)));
const threeBlocks = blocks([0xa1, 512], [0xb2, 512], [0xc3, 512]);

describe('golden packets, sent', () => {
  it('makes a bare request', () => {
    sends('a bare request', request, bare);
  });

  it('makes a request with five bytes, padded to eight', () => {
    sends('a request with five bytes', { ...request, transaction: 2 }, hello);
  });

  it('sums the header and the message alone where that is asked for', () => {
    const [packet] = packetsOf({ ...request, transaction: 2 }, hello, { cover: 'header' });
    expect(packet && words(packet)).toBe(words(goldenPacket('the same, its header summed alone')));
  });

  it('makes notices to a client and to a server', () => {
    const toManagers = { response: false, server: vmtpManagerGroup };
    sends(
      'a notice to a client',
      { ...toManagers, client: asked, transaction: 9 },
      notifyVmtpClient.encode({
        client: asker,
        control: controlWord({ functionCode: functions.response }),
        receiveSequence: 0,
        transaction: 2,
        delivery: 1,
        code: responseCodes.ok,
      }),
    );
    sends(
      'a notice to a server',
      { ...toManagers, client: asker, transaction: 3 },
      notifyVmtpServer.encode({
        server: asked,
        client: asker,
        transaction: 2,
        delivery: 0x3f,
        code: responseCodes.retry,
      }),
    );
  });

  it('makes a response that is to be acknowledged', () => {
    sends(
      'a response',
      { ...response, transaction: 2, flags: groupFlags.acknowledge, retransmitCount: 1, priority: 0 },
      message({ code: responseCodes.ok, flags: MessageFlag.datagram }),
    );
  });

  it('cuts 1536 bytes into two blocks and one', () => {
    const heading = { ...request, transaction: 3, gap: 12 };
    const m = message({ code: 0x43, segment: threeBlocks });
    const expected = [goldenPacket('the first packet of two'), goldenPacket('the second packet of two')];
    for (const payloadBytes of [1500, 1480]) {
      const dataBytes = packetDataBytes(payloadBytes);
      expect(packetsOf(heading, m, { dataBytes, cover: 'packet' }).map(words)).toEqual(expected.map(words));
    }
  });

  it('asks all managers about an entity of the host of that entity', () => {
    sends(
      'a question to all managers',
      {
        ...request,
        client: vmtpDefaultClient.bigEndian,
        server: vmtpManagerGroup,
        transaction: 0,
        multicast: true,
      },
      probeEntity.request.encode({ coResident: asked, entity: asked, authDomain: 0 }),
    );
  });

  it('sends the blocks that the message names, side by side', () => {
    const m = message({
      code: responseCodes.ok,
      flags: MessageFlag.datagram | MessageFlag.partial,
      words: [0, 0, 0, 0, 0, 0b101],
      segment: blocks([0xe5, 512], [0xdd, 512], [0xf6, 276]),
    });
    sends('a response without one of its blocks', { ...response, transaction: 4 }, m);
  });
});

describe('golden packets, received', () => {
  it('takes each as it is, with a checksum and without', () => {
    for (const bytes of Object.values(golden)) {
      packetOf(bytes);
      packetOf(unsummed(bytes));
    }
  });

  it('reads the fields of a response', () => {
    expect(packetOf(goldenPacket('a response'))).toMatchObject({
      client: asker,
      server: asked,
      response: true,
      transaction: 2,
      flags: groupFlags.acknowledge,
      multicast: false,
      delayResponse: false,
      retransmitCount: 1,
      forwardCount: 0,
      gap: 0,
      priority: 0,
      delivery: 0,
      messageFlags: MessageFlag.datagram,
      code: responseCodes.ok,
      segmentBytes: 0,
      sentBlocks: 0,
      streamed: false,
    });
  });

  it('reads data without their padding', () => {
    const packet = packetOf(goldenPacket('a request with five bytes'));
    expect(packet).toMatchObject({
      response: false,
      priority: 8,
      segmentBytes: 5,
      sentBlocks: 1,
      delivery: 1,
    });
    expect(decodeUtf8(packet.data)).toBe('hello');
    expect(new ArrivingGroup(packet).message()?.segment).toEqual(packet.data);
  });

  it('joins two packets in either order', () => {
    const two = [goldenPacket('the first packet of two'), goldenPacket('the second packet of two')];
    for (const [first, second] of [two, two.toReversed()]) {
      const group = new ArrivingGroup(packetOf(first as Uint8Array));
      expect(group.complete).toBe(false);
      expect(group.message()).toBeUndefined();
      expect(group.add(packetOf(second as Uint8Array))).toBe('complete');
      expect(group.message()?.segment).toEqual(threeBlocks);
    }
  });

  it('delivers what there is of a message that may lack blocks', () => {
    const group = new ArrivingGroup(packetOf(goldenPacket('a response without one of its blocks')));
    expect(group.complete).toBe(true);
    const whole = group.message();
    expect(whole?.segment).toEqual(blocks([0xe5, 512], [0, 512], [0xf6, 276]));
    expect(whole && wordOf(whole, 6)).toBe(0b101);
  });

  it('reads a question to all managers', () => {
    const packet = packetOf(goldenPacket('a question to all managers'));
    expect(packet).toMatchObject({ multicast: true, server: vmtpManagerGroup });
    const m = { control: packet.control, segment: packet.data };
    expect(operationOf(m)).toBe('probeEntity');
    expect(entityIn(m, 1)).toBe(asked);
    expect(probeEntity.request.decode(m)).toEqual({ coResident: asked, entity: asked, authDomain: 0 });
  });

  it('reads notices', () => {
    const packet = packetOf(goldenPacket('a notice to a client'));
    const notice = notifyVmtpClient.decode({ control: packet.control, segment: packet.data });
    expect(notice).toEqual({
      ...{ client: asker, control: 1, receiveSequence: 0, transaction: 2, delivery: 1 },
      code: responseCodes.ok,
    });
    expect(controlFields(notice?.control ?? 0).functionCode).toBe(functions.response);
    expect(notifyVmtpServer.decode({ control: packet.control, segment: packet.data })).toBeUndefined();
  });

  it('finds in each the fields that the layout names', () => {
    const header = vmtpHeader.decode(goldenPacket('a response without one of its blocks'));
    expect(header).toMatchObject({ domain: 1, version: 0, lengthWords: 198, messageDelivery: 5 });
    expect(header).toMatchObject({ segmentBytes: 1300, code: 0x7000_0000, functionCode: functions.response });
  });
});
