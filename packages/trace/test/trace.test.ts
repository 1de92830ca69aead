import { layout, u16, u32 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { captureHeader, capturePacket, dissectorFor } from '../src/index.ts';

const u32At = (b: Uint8Array, at: number): number => new DataView(b.buffer, b.byteOffset).getUint32(at, true);

describe('a capture', () => {
  it('is a chain of blocks, each with its length at both ends', () => {
    const bytes = captureHeader('ether');
    const types: number[] = [];
    for (let at = 0; at < bytes.length; at += u32At(bytes, at + 4)) {
      const length = u32At(bytes, at + 4);
      expect(u32At(bytes, at + length - 4)).toBe(length);
      expect(length % 4).toBe(0);
      types.push(u32At(bytes, at));
    }
    expect(types).toEqual([0x0a0d0d0a, 1]);
  });

  it('holds each frame with its time in nanoseconds since the epoch', () => {
    const frame = new Uint8Array([1, 2, 3, 4, 5]);
    const block = capturePacket(frame, 7, 570_067_200);
    const time = BigInt(u32At(block, 12)) * 0x1_0000_0000n + BigInt(u32At(block, 16));
    expect(time).toBe(570_067_200_000_000_007n);
    expect([u32At(block, 20), u32At(block, 24), [...block.subarray(28, 33)]]).toEqual([
      5,
      5,
      [1, 2, 3, 4, 5],
    ]);
    expect(u32At(block, block.length - 4)).toBe(block.length);
  });
});

describe('a dissector', () => {
  const header = layout('ping', {
    kind: u16('what it "is"', { names: { request: 1, reply: 2 } }),
    flags: u16('how', { flags: { urgent: 1, last: 0x8000 } }),
    id: u32('which one'),
  });
  const lua = dissectorFor({
    name: 'ping',
    title: 'Ping',
    header,
    etherType: 0x0500,
    ipProtocol: 90,
    summary: 'kind',
  });

  it('declares every field at its place, with names, flags and words for people', () => {
    expect(lua).toContain(
      'ProtoField.uint16("ping.kind", "kind", base.DEC, { [1] = "request", [2] = "reply" }, nil, "what it \\"is\\"")',
    );
    expect(lua).toContain('ProtoField.bool("ping.flags.last", "last", 16, nil, 0x8000)');
    expect(lua).toContain('subtree:add(fields.id, buffer(4, 4))');
  });

  it('takes the place of Ethernet for a type that Wireshark reads as a length, and hands on what is not its own', () => {
    expect(lua).toContain('buffer(12, 2):uint() == 0x0500');
    expect(lua).toContain('return ethernet:call(buffer, pinfo, tree)');
    expect(lua).toContain('DissectorTable.get("ip.proto"):add(90, proto)');
  });

  it('says of a packet that is too short that it is malformed', () => {
    expect(lua).toContain('if buffer:len() < 8 then');
  });
});
