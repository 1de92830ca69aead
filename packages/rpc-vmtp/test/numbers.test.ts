import { Engine } from '@backplane/engine';
import { entityId, entityWords, isGroup, normalPriority, ReplyCode } from '@backplane/slots';
import { formatIpv4, formatMac } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  discriminatorMax,
  discriminatorOf,
  EntityTexts,
  entityNumber,
  entityOf,
  entityTypes,
  formatEntity,
  groupAddress,
  groupStation,
  managementCodes,
  operationNumber,
  parseEntity,
  priorityBits,
  priorityRank,
  responseCodeName,
  responseCodes,
  typeOf,
  vmtpDefaultClient,
  vmtpManagerGroup,
  wellKnownGroup,
  wellKnownGroupMax,
} from '../src/index.ts';

/** The examples of RFC 1045, and where groups are heard. */
const examples = [
  ['BE-25593-36.8.0.49', '000063f924080031', undefined],
  ['RG-1-224.0.1.0', '40000001e0000100', '224.0.1.0'],
  ['BE-1-224.0.1.0', '00000001e0000100', undefined],
  ['LE-1-224.0.1.0', '20000001e0000100', undefined],
  ['UG-565338-36.8.0.77', '6008a05a2408004d', '232.8.160.90'],
  ['LEA-7823-36.8.0.77', 'a0001e8f2408004d', undefined],
] as const;

describe('vmtp, entity numbers', () => {
  it('reads and writes the examples of the RFC', () => {
    for (const [text, digits, heard] of examples) {
      expect(parseEntity(text)).toBe(digits);
      const e = entityId(digits);
      expect(formatEntity(e)).toBe(text);
      expect(isGroup(e)).toBe(heard !== undefined);
      if (heard !== undefined) expect(formatIpv4(groupAddress(e))).toBe(heard);
    }
    expect(vmtpManagerGroup).toBe(parseEntity('RG-1-224.0.1.0'));
    expect(vmtpDefaultClient.bigEndian).toBe(parseEntity('BE-1-224.0.1.0'));
    expect(vmtpDefaultClient.littleEndian).toBe(parseEntity('LE-1-224.0.1.0'));
  });

  it('takes a number apart and puts it together', () => {
    const e = entityNumber(entityTypes.alias | entityTypes.littleEndian, 7823, 0x2408004d);
    expect(e).toBe('a0001e8f2408004d');
    expect([typeOf(e), discriminatorOf(e), addressOf(e)]).toEqual([0xa, 7823, 0x2408004d]);
    expect(entityNumber(0xf, discriminatorMax, 0xffff_ffff)).toBe('f'.repeat(16));
    expect(entityOf(0, 0)).toBe('0'.repeat(16));
  });

  it('writes every number so that it can be read again', () => {
    const random = new Engine({ seed: 21 }).random('numbers');
    for (let i = 0; i < 2000; i++) {
      const e = entityOf(random.uint32(), random.uint32());
      expect(parseEntity(formatEntity(e)), e).toBe(e);
      expect(entityOf(...entityWords(e))).toBe(e);
    }
    for (let type = 0; type < 16; type++) {
      const e = entityNumber(type, 5, 0x0a010001);
      expect(parseEntity(formatEntity(e))).toBe(e);
      // The reserved bit has no letter.
      expect(formatEntity(e) === e).toBe(type % 2 === 1);
    }
  });

  it('reads nothing else', () => {
    for (const text of [
      '',
      'BE',
      'BE-1',
      'BE-1-',
      'XE-1-36.8.0.77',
      'be-1-36.8.0.77',
      'BEB-1-36.8.0.77',
      'BE--1-36.8.0.77',
      'BE-268435456-36.8.0.77',
      'BE-1-36.8.0.256',
      'BE-1-36.8.0',
      'BE-1-36.8.0.77.',
      'BE-1-36.8.0.77.1',
      ' BE-1-36.8.0.77',
      '0123456789ABCDEF',
      '0123456789abcde',
    ])
      expect(parseEntity(text), text).toBeUndefined();
    expect(parseEntity('BE-268435455-36.8.0.77')).toBe('0fffffff2408004d');
  });

  it('hears a group under the low 23 bits of its internet group', () => {
    expect(formatMac(groupStation(vmtpManagerGroup))).toBe('01:00:5e:00:01:00');
    expect(formatMac(groupStation(entityId('6008a05a2408004d')))).toBe('01:00:5e:08:a0:5a');
    // Bit 23 of the internet group is lost: these two share a station address, and differ as numbers.
    const near = entityNumber(entityTypes.group, 0x08_a05a, 0x0a010001);
    const far = entityNumber(entityTypes.group, 0x88_a05a, 0x0a010001);
    expect(groupAddress(near)).not.toBe(groupAddress(far));
    expect(groupStation(near)).toBe(groupStation(far));
  });

  it('gives the well-known groups of V numbers that all hosts know', () => {
    expect(formatEntity(wellKnownGroup(1))).toBe('UG-1-239.1.0.1');
    expect(formatIpv4(groupAddress(wellKnownGroup(wellKnownGroupMax)))).toBe('239.1.0.255');
    expect(isGroup(wellKnownGroup(3))).toBe(true);
    const all = Array.from({ length: wellKnownGroupMax }, (_, i) => wellKnownGroup(i + 1));
    expect(new Set(all).size).toBe(wellKnownGroupMax);
    expect(new Set(all.map(groupStation)).size).toBe(wellKnownGroupMax);
  });

  it('makes the text of a number once while it is in use', () => {
    const texts = new EntityTexts();
    expect(texts.of(0, 0)).toBe('0'.repeat(16));
    const random = new Engine({ seed: 22 }).random('numbers');
    for (let i = 0; i < 5000; i++) {
      const [high, low] = [random.below(40), random.below(40)];
      expect(texts.of(high, low)).toBe(entityOf(high, low));
      const [h, l] = [random.uint32(), random.uint32()];
      expect(texts.of(h, l)).toBe(entityOf(h, l));
    }
  });
});

describe('vmtp, codes', () => {
  it('has the numbers that programs see under the same names', () => {
    for (const [name, code] of Object.entries(ReplyCode)) {
      if (name === 'user') continue;
      expect(responseCodes[name as keyof typeof responseCodes], name).toBe(code);
    }
    expect(Object.values(responseCodes)).toEqual(Array.from({ length: 25 }, (_, i) => i));
  });

  it('names every code', () => {
    expect(responseCodeName(responseCodes.nonexistentEntity)).toBe('nonexistentEntity');
    expect(responseCodeName(25)).toBe('reserved 25');
    expect(responseCodeName(ReplyCode.user)).toBe('user 0');
    expect(responseCodeName(ReplyCode.user + 12)).toBe('user 12');
  });

  it('tells operations of managers apart with all flags but that of public codes masked off', () => {
    const numbers = Object.values(managementCodes).map(operationNumber);
    expect(numbers).toEqual(Array.from({ length: 17 }, (_, i) => 0x0100_0101 + i));
    expect(operationNumber(0x0d00_0102)).toBe(operationNumber(0x0500_0102));
    expect(operationNumber(0x0000_0102)).not.toBe(operationNumber(0x0100_0102));
  });

  it('orders priorities: urgent, important, normal, background, each in four grades', () => {
    const bits = Array.from({ length: 16 }, (_, rank) => priorityBits(rank));
    expect(bits.map((b) => b.toString(2).padStart(4, '0'))).toEqual([
      ...['1100', '1101', '1110', '1111'],
      ...['1000', '1001', '1010', '1011'],
      ...['0000', '0001', '0010', '0011'],
      ...['0100', '0101', '0110', '0111'],
    ]);
    expect(bits.map(priorityRank)).toEqual(Array.from({ length: 16 }, (_, rank) => rank));
    expect(priorityBits(normalPriority)).toBe(0);
  });
});
