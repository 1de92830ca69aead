import { describe as about, expect, it } from 'vitest';
import {
  arpPacket,
  array,
  ascii,
  bit,
  bits,
  bytes,
  describe,
  formatRows,
  i16,
  ipv4Header,
  layout,
  nested,
  reserved,
  reservedBits,
  u8,
  u32,
  u64,
} from '../src/index.ts';
import { hex } from './hex.ts';

const TYPES = { request: 0x100, acknowledge: 0x200 } as const;
const inner = layout('inner', { a: u8('first'), b: i16('second') });
const rich = layout('rich', {
  flags: u32('type and flags', { flags: { ...TYPES, close: 0x4 } }),
  state: bits(3, 'state', { names: { idle: 0, waiting: 5 } }),
  last: bit('no more'),
  spare: reservedBits(4),
  hole: reserved(1),
  stamp: u64('', { base: 16 }),
  name: ascii(4),
  key: bytes(2),
  list: array(u8(), 2),
  pairs: array(nested(inner), 2),
  one: nested(inner),
});
const record = hex('00000185 b0 00 0000000000000001 61620000 beef 0102 01ffff 020001 03fffe');

about('describe', () => {
  it('tells what every field is', () => {
    const rows = describe(ipv4Header);
    expect(
      rows.map(({ path, offset, width, bits: place }) => [path, offset, width, place?.shift, place?.count]),
    ).toEqual([
      ['version', 0, 1, 4, 4],
      ['headerWords', 0, 1, 0, 4],
      ['typeOfService', 1, 1, undefined, undefined],
      ['totalLength', 2, 2, undefined, undefined],
      ['identification', 4, 2, undefined, undefined],
      ['unused', 6, 1, 7, 1],
      ['dontFragment', 6, 1, 6, 1],
      ['moreFragments', 6, 1, 5, 1],
      ['fragmentOffset', 6, 2, 0, 13],
      ['timeToLive', 8, 1, undefined, undefined],
      ['protocol', 9, 1, undefined, undefined],
      ['headerChecksum', 10, 2, undefined, undefined],
      ['source', 12, 4, undefined, undefined],
      ['destination', 16, 4, undefined, undefined],
    ]);
    expect(rows.every((row) => row.value === undefined)).toBe(true);
  });

  it('tells what every field holds, by its names', () => {
    expect(
      describe(rich, record).map(({ path, offset, value, text }) => [path, offset, value, text]),
    ).toEqual([
      ['flags', 0, 0x185, '0x00000185 request|close|0x81'],
      ['state', 4, 5, '5 waiting'],
      ['last', 4, true, 'true'],
      ['spare', 4, undefined, undefined],
      ['hole', 5, undefined, undefined],
      ['stamp', 6, '1', '0x0000000000000001'],
      ['name', 14, 'ab', '"ab"'],
      ['key', 18, 'beef', 'beef'],
      ['list', 20, [1, 2], '[1, 2]'],
      ['pairs[0].a', 22, 1, '1'],
      ['pairs[0].b', 23, -1, '-1'],
      ['pairs[1].a', 25, 2, '2'],
      ['pairs[1].b', 26, 1, '1'],
      ['one.a', 28, 3, '3'],
      ['one.b', 29, -2, '-2'],
    ]);
  });

  it('writes negative numbers in hexadecimal with their sign', () => {
    const signed = layout('signed', { a: i16('', { base: 16 }), b: i16('', { base: 16 }) });
    expect(describe(signed, hex('fff0 000f')).map((row) => row.text)).toEqual(['-0x10', '0x000f']);
  });

  it('is plain JSON', () => {
    const rows = describe(rich, record);
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
  });

  it('marks the fields that the bytes do not reach', () => {
    const rows = describe(rich, record.subarray(0, 19));
    expect(rows.filter((row) => row.text === '(missing)').map((row) => row.path)).toEqual([
      'key',
      'list',
      'pairs[0].a',
      'pairs[0].b',
      'pairs[1].a',
      'pairs[1].b',
      'one.a',
      'one.b',
    ]);
    expect(describe(rich, new Uint8Array(0)).every((row) => row.value === undefined)).toBe(true);
    expect(describe(rich, record, 1000).every((row) => row.value === undefined)).toBe(true);
  });

  it('prints columns', () => {
    const request = hex('0001 0800 0604 0001 080020010203 24080031 000000000000 24080032');
    expect(formatRows(describe(arpPacket, request))).toBe(
      [
        '0   hardwareType   1 ethernet         kind of network',
        '2   protocolType   0x0800 ipv4        whose addresses are resolved',
        '4   hardwareBytes  6                  length of a hardware address',
        '5   protocolBytes  4                  length of a protocol address',
        '6   operation      1 request',
        '8   senderMac      08:00:20:01:02:03',
        '14  senderAddress  0x24080031         Internet address or Sprite host',
        '18  targetMac      00:00:00:00:00:00',
        '24  targetAddress  0x24080032         Internet address or Sprite host',
      ].join('\n'),
    );
    expect(formatRows(describe(rich)).split('\n')[1]).toBe('4.5+3  state       bits      state');
    expect(formatRows([])).toBe('');
  });
});
