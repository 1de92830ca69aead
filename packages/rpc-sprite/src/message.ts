/**
 * A message to be sent, and the packets that it is cut into. A channel has one for its requests and a server process one for
 * its replies; they are filled in anew for each call, and `generation` tells an older sending that it is over.
 *
 * Fragments are packed full to the route's maximum, parameters first, then data; the last one sent of a batch carries
 * LASTFRAG. (In Sprite's sources the bit is set and then overwritten two lines later; this is the rule that was meant.)
 *
 * Nothing is copied: a packet is a fresh header and views of the message's two areas.
 */
import { flags, headerBytes, versions } from './layout.ts';
import { allOf, noBytes } from './packet.ts';

export class Message {
  /** Where to, 0 for everybody. */
  to = 0;
  flags = 0;
  clientId = 0;
  serverId = 0;
  channel = 0;
  hint = 0;
  id = 0;
  command = 0;
  parameters: Uint8Array = noBytes;
  data: Uint8Array = noBytes;
  /** 0: fits into one packet. */
  fragments = 0;
  /** Fragments that the receiver is known to have. */
  delivered = 0;
  /** Fragments that are still to be sent from interrupt level. */
  pending = 0;
  /** A thread is in the middle of sending it. */
  sending = false;
  /** Number of the packet, among all that this host has sent, that was sent last of this message. */
  lastPacket = 0;
  generation = 0;

  /** Puts other contents in. */
  fill(parameters: Uint8Array, data: Uint8Array, fragmentBytes: number): void {
    this.parameters = parameters;
    this.data = data;
    const bytes = parameters.length + data.length;
    this.fragments = bytes > fragmentBytes ? Math.ceil(bytes / fragmentBytes) : 0;
    this.rewind();
  }

  /** Nothing of it has been delivered, and nothing is under way. */
  rewind(): void {
    this.delivered = 0;
    this.pending = 0;
    this.sending = false;
    this.generation++;
  }

  /** Drops the contents, when nobody will ask for them again. */
  clear(): void {
    this.parameters = noBytes;
    this.data = noBytes;
    this.fragments = 0;
    this.rewind();
  }

  /** All packets, as a mask. */
  get whole(): number {
    return this.fragments === 0 ? 1 : allOf(this.fragments);
  }

  /**
   * What to send again: what the receiver lacks. If it lacks nothing, or has not said what it has although it was asked
   * to, only the last fragment, as a probe.
   */
  again(asking: boolean): number {
    if (this.fragments === 0) return 1;
    const all = allOf(this.fragments);
    if (this.delivered === all || (asking && this.delivered === 0)) return 1 << (this.fragments - 1);
    return all & ~this.delivered;
  }
}

/** Writes headers. */
export class PacketWriter {
  /** Payload bytes of a packet on this host's route. */
  readonly fragmentBytes: number;
  /** The header is put together here as words, and each packet gets a copy. */
  readonly #bytes: Uint8Array = new Uint8Array(headerBytes);
  readonly #words: DataView = new DataView(this.#bytes.buffer);

  constructor(fragmentBytes: number, bootId: number, delayUs: number) {
    this.fragmentBytes = fragmentBytes;
    const words = this.#words;
    words.setUint32(0, versions.native);
    words.setUint32(24, bootId);
    words.setUint32(32, delayUs);
  }

  /** The parts of packet `k` of a message; `extra` are flags for this sending. */
  packet(m: Message, k: number, extra: number): Uint8Array[] {
    const { parameters, data, fragments } = m;
    if (fragments === 0) {
      const header = this.#header(m, m.flags | extra, 0, 0, parameters.length, data.length, 0, 0);
      if (data.length === 0) return parameters.length === 0 ? [header] : [header, parameters];
      return parameters.length === 0 ? [header, data] : [header, parameters, data];
    }
    const from = k * this.fragmentBytes;
    const to = Math.min(from + this.fragmentBytes, parameters.length + data.length);
    const parameterFrom = Math.min(from, parameters.length);
    const parameterTo = Math.min(to, parameters.length);
    const dataFrom = Math.max(from - parameters.length, 0);
    const dataTo = Math.max(to - parameters.length, 0);
    const parts = [
      this.#header(
        m,
        m.flags | extra,
        fragments,
        1 << k,
        parameterTo - parameterFrom,
        dataTo - dataFrom,
        parameterFrom,
        dataFrom,
      ),
    ];
    if (parameterTo > parameterFrom) parts.push(parameters.subarray(parameterFrom, parameterTo));
    if (dataTo > dataFrom) parts.push(data.subarray(dataFrom, dataTo));
    return parts;
  }

  /** A packet about the call of a message, without its contents: an acknowledgement. */
  bare(m: Message, packetFlags: number, fragmentMask: number): Uint8Array[] {
    return [this.#header(m, packetFlags, 0, fragmentMask, 0, 0, 0, 0)];
  }

  #header(
    m: Message,
    packetFlags: number,
    fragments: number,
    fragmentMask: number,
    parametersBytes: number,
    dataBytes: number,
    parameterOffset: number,
    dataOffset: number,
  ): Uint8Array {
    const words = this.#words;
    words.setUint32(4, packetFlags);
    words.setUint32(8, m.clientId);
    words.setUint32(12, m.serverId);
    words.setUint32(16, m.channel);
    words.setUint32(20, m.hint);
    words.setUint32(28, m.id);
    words.setUint32(36, fragments);
    words.setUint32(40, fragmentMask);
    words.setUint32(44, m.command);
    words.setUint32(48, parametersBytes);
    words.setUint32(52, dataBytes);
    words.setUint32(56, parameterOffset);
    words.setUint32(60, dataOffset);
    return new Uint8Array(this.#bytes);
  }
}

/** The flag of the last packet of a batch. */
export const batchEnd = (left: number): number => (left === 0 ? flags.lastFragment : 0);
