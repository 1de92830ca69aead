/**
 * A packet that arrived: its header in plain numbers and its two areas as views of the frame. One object serves all packets
 * of a host, because each is dealt with before the next one is looked at.
 *
 * `read` checks all that a receiver relies on later, so that no arithmetic behind it can go wrong:
 *
 *   the areas lie within the frame          a longer frame is padding
 *   sizes and offsets within the limits     1024 bytes of parameters, 16384 of data
 *   hosts below 200, channel below 8
 *   a fragment names itself by one bit of `fragMask` below `numFrags`, and there are at most 16
 */
import type { Frame } from '@backplane/slots';
import { headerBytes, limits, types, versions } from './layout.ts';

export const noBytes: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** What became of a frame: a packet, bytes that are none, or one of a version that is not spoken here. */
export type Verdict = 'packet' | 'malformed' | 'version';

export class Packet {
  flags = 0;
  clientId = 0;
  serverId = 0;
  channel = 0;
  hint = 0;
  bootId = 0;
  id = 0;
  delayUs = 0;
  /** 0: the message is whole. */
  fragments = 0;
  fragmentMask = 0;
  command = 0;
  parameterOffset = 0;
  dataOffset = 0;
  parameters: Uint8Array = noBytes;
  data: Uint8Array = noBytes;

  /** The header is copied here to be read as words: a view of each frame's own bytes would have to be made first. */
  readonly #bytes: Uint8Array = new Uint8Array(headerBytes);
  readonly #words: DataView = new DataView(this.#bytes.buffer);

  read(frame: Frame): Verdict {
    const header = frame.slice(0, headerBytes);
    if (header === undefined) return 'malformed';
    this.#bytes.set(header);
    const words = this.#words;
    const version = words.getUint32(0);
    const swapped = version === versions.swapped;
    if (!swapped && version !== versions.native) return 'version';
    this.flags = words.getUint32(4, swapped);
    this.clientId = words.getUint32(8, swapped);
    this.serverId = words.getUint32(12, swapped);
    this.channel = words.getUint32(16, swapped);
    this.hint = words.getUint32(20, swapped);
    this.bootId = words.getUint32(24, swapped);
    this.id = words.getUint32(28, swapped);
    this.delayUs = words.getUint32(32, swapped);
    this.fragments = words.getUint32(36, swapped);
    this.fragmentMask = words.getUint32(40, swapped);
    this.command = words.getUint32(44, swapped);
    const parametersBytes = words.getUint32(48, swapped);
    const dataBytes = words.getUint32(52, swapped);
    this.parameterOffset = words.getUint32(56, swapped);
    this.dataOffset = words.getUint32(60, swapped);
    if (!this.#sound(parametersBytes, dataBytes)) return 'malformed';

    const parameters = parametersBytes === 0 ? noBytes : frame.slice(headerBytes, parametersBytes);
    const data = dataBytes === 0 ? noBytes : frame.slice(headerBytes + parametersBytes, dataBytes);
    if (parameters === undefined || data === undefined) return 'malformed';
    this.parameters = swapped ? swapWords(parameters) : parameters;
    this.data = data;
    return 'packet';
  }

  /** Lets go of the frame's bytes. */
  release(): void {
    this.parameters = noBytes;
    this.data = noBytes;
  }

  #sound(parametersBytes: number, dataBytes: number): boolean {
    if (parametersBytes + this.parameterOffset > limits.parametersBytes) return false;
    if (dataBytes + this.dataOffset > limits.dataBytes) return false;
    if (this.clientId >= limits.hosts || this.serverId >= limits.hosts) return false;
    if (this.channel >= limits.channels) return false;
    if (this.fragments === 0) return this.fragmentMask >>> limits.fragments === 0;
    if (this.fragments > limits.fragments) return false;
    const mask = this.fragmentMask;
    if ((this.flags & types.ack) !== 0) return mask <= allOf(this.fragments);
    return mask !== 0 && (mask & (mask - 1)) === 0 && mask <= allOf(this.fragments);
  }
}

/** The mask of a message of that many fragments that is complete. */
export const allOf = (fragments: number): number => (1 << fragments) - 1;

/** A copy with the bytes of each whole word reversed. */
function swapWords(from: Uint8Array): Uint8Array {
  const to = from.slice();
  for (let i = 0; i + 4 <= to.length; i += 4) to.subarray(i, i + 4).reverse();
  return to;
}
