/**
 * Packet captures in the pcapng format (draft-ietf-opsawg-pcapng): a section header, one Ethernet interface with
 * nanosecond times and frame check sequences, and a block for each frame. All numbers are little-endian.
 */
import { encodeUtf8 } from '@backplane/wire';

const sectionHeader = 0x0a0d0d0a;
const interfaceDescription = 1;
const enhancedPacket = 6;
const byteOrderMagic = 0x1a2b3c4d;
const linkTypeEthernet = 1;

const option = { end: 0, name: 2, userApplication: 4, timeResolution: 9, fcsLength: 13 } as const;
const fcsBytes = 4;
/** Times count in units of ten to the minus nine seconds. */
const nanoseconds = 9;

/** What a capture file starts with. */
export function captureHeader(interfaceName: string): Uint8Array {
  const section = block(sectionHeader, (to) => {
    to.u32(byteOrderMagic).u16(1).u16(0);
    // Length of the section: not stated.
    to.u32(0xffffffff).u32(0xffffffff);
    to.option(option.userApplication, encodeUtf8('backplane')).option(option.end, new Uint8Array(0));
  });
  const description = block(interfaceDescription, (to) => {
    to.u16(linkTypeEthernet).u16(0).u32(0);
    to.option(option.name, encodeUtf8(interfaceName));
    to.option(option.timeResolution, new Uint8Array([nanoseconds]));
    to.option(option.fcsLength, new Uint8Array([fcsBytes]));
    to.option(option.end, new Uint8Array(0));
  });
  return joined([section, description]);
}

/**
 * One frame with its check sequence.
 *
 * @param epochSeconds wall clock at virtual time 0
 */
export function capturePacket(frame: Uint8Array, timeNs: number, epochSeconds: number): Uint8Array {
  const time = BigInt(epochSeconds) * 1_000_000_000n + BigInt(timeNs);
  return block(enhancedPacket, (to) => {
    to.u32(0)
      .u32(Number(time >> 32n))
      .u32(Number(time & 0xffffffffn));
    to.u32(frame.length).u32(frame.length).padded(frame);
  });
}

/** Type, length, content, length again. */
function block(type: number, write: (to: BlockWriter) => void): Uint8Array {
  const to = new BlockWriter();
  to.u32(type).u32(0);
  write(to);
  const length = to.length + 4;
  to.u32(length);
  const bytes = to.finish();
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, length, true);
  return bytes;
}

class BlockWriter {
  #bytes = new Uint8Array(128);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u16(n: number): this {
    return this.bytes(new Uint8Array([n & 0xff, n >>> 8]));
  }

  u32(n: number): this {
    return this.bytes(new Uint8Array([n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]));
  }

  option(code: number, value: Uint8Array): this {
    return this.u16(code).u16(value.length).padded(value);
  }

  /** With zeros up to a multiple of four. */
  padded(bytes: Uint8Array): this {
    return this.bytes(bytes).bytes(new Uint8Array((4 - (bytes.length % 4)) % 4));
  }

  bytes(bytes: Uint8Array): this {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
