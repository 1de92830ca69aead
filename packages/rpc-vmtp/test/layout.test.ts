import { controlBytes, MessageFlag, segmentBytesMax } from '@backplane/slots';
import { describe as describeRecord, IP_PROTOCOLS } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import {
  checksumBytes,
  controlFields,
  controlWord,
  groupFlags,
  headerBytes,
  headingBytes,
  leastPacketBytes,
  limits,
  managementCodes,
  packetDataBytes,
  vmtpHeader,
  vmtpMessage,
} from '../src/index.ts';
import { goldenPacket } from './hand.ts';

/** Place of each field in the figures: byte, then bits from the most significant end of that byte. */
const figure = {
  clientHigh: [0, 0, 32],
  clientLow: [4, 0, 32],
  version: [8, 0, 3],
  domain: [8, 3, 13],
  headerChecksumOnly: [10, 0, 1],
  encrypted: [10, 1, 1],
  multicast: [10, 2, 1],
  lengthWords: [10, 3, 13],
  flags: [12, 0, 8],
  delayResponse: [13, 0, 1],
  retransmitCount: [13, 1, 3],
  forwardCount: [13, 4, 4],
  gap: [14, 0, 8],
  priority: [15, 0, 4],
  unassigned: [15, 4, 3],
  functionCode: [15, 7, 1],
  transaction: [16, 0, 32],
  packetDelivery: [20, 0, 32],
  serverHigh: [24, 0, 32],
  serverLow: [28, 0, 32],
  code: [32, 0, 32],
  coResidentHigh: [36, 0, 32],
  coResidentLow: [40, 0, 32],
  user1: [44, 0, 32],
  user2: [48, 0, 32],
  user3: [52, 0, 32],
  messageDelivery: [56, 0, 32],
  segmentBytes: [60, 0, 32],
} as const;

describe('vmtp, the header', () => {
  it('has each field where the figures have it', () => {
    expect(vmtpHeader.size).toBe(headerBytes);
    expect(vmtpHeader.fields.map(({ name }) => name)).toEqual(Object.keys(figure));
    for (const [name, [byte, first, count]] of Object.entries(figure)) {
      const field = vmtpHeader.fields.find((f) => f.name === name);
      const width = 8 * (field?.width ?? 0);
      const { shift, count: bits } = field?.bits ?? { shift: 0, count: width };
      expect({ name, byte: field?.offset, first: width - bits - shift, bits }).toEqual({
        name,
        byte,
        first,
        bits: count,
      });
    }
  });

  it('is a heading and the 32 bytes that programs exchange', () => {
    expect(vmtpMessage.size).toBe(controlBytes);
    expect(headingBytes + vmtpMessage.size).toBe(headerBytes);
    for (const field of vmtpMessage.fields) {
      const placed = vmtpHeader.fields.find(({ name }) => name === field.name);
      expect(placed).toEqual({ ...field, offset: field.offset + headingBytes });
    }
    expect(limits.groupBytes).toBe(segmentBytesMax);
    expect(limits.blocks * limits.blockBytes).toBe(segmentBytesMax);
  });

  it('names the flags of a message by the masks of the code word', () => {
    const { flags = {}, names } = vmtpHeader.fields.find(({ name }) => name === 'code') ?? {};
    for (const [name, bit] of Object.entries(MessageFlag)) expect(flags[name], name).toBe((bit << 24) >>> 0);
    expect(names).toEqual(managementCodes);
  });

  it('tells people what a packet says', () => {
    const rows = describeRecord(vmtpHeader, goldenPacket('a question to all managers'));
    const shown = Object.fromEntries(rows.map((row) => [row.path, row.text]));
    expect(shown['multicast']).toBe('1');
    expect(shown['functionCode']).toContain('request');
    expect(shown['code']).toContain('probeEntity');
  });

  it('has room for two blocks and a short third in a packet of an Ethernet', () => {
    expect(leastPacketBytes).toBe(headerBytes + checksumBytes);
    expect(packetDataBytes(1500)).toBe(1432);
    expect(packetDataBytes(1480)).toBe(1408);
    expect(packetDataBytes(1480) - 2 * limits.blockBytes).toBe(384);
    expect(packetDataBytes(limits.basicPacketBytes)).toBe(limits.blockBytes);
    expect(packetDataBytes(65_515)).toBe(limits.groupBytes);
    expect(IP_PROTOCOLS.vmtp).toBe(81);
  });

  it('gives the fourth word apart, and takes it apart', () => {
    expect(controlWord({})).toBe(0);
    const fields = {
      ...{ flags: groupFlags.acknowledge | groupFlags.nextReceiveSequence, delayResponse: 1 },
      ...{ retransmitCount: 5, forwardCount: 15, gap: 0x21, priority: 0xc, unassigned: 0, functionCode: 1 },
    };
    expect(controlWord(fields).toString(16)).toBe('c0df21c1');
    expect(controlFields(0xc0df21c1)).toEqual(fields);
    expect(controlFields(controlWord({ forwardCount: 3 })).forwardCount).toBe(3);
  });
});
