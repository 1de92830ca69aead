/**
 * Frames of every kind, made of nothing or of real ones that were captured.
 *
 *   kind        what it is
 *   replay      a real frame once more, as it was, from where it came
 *   mutant      a real frame with bits flipped, bytes or words swapped, numbers put in, cut off, or with another end
 *   meddling    a real call or reply, of a later number, with other parameters or data
 *   request     a right Sprite RPC header, for any procedure, with parameters and data that mean nothing
 *   noise       random bytes of a type that somebody takes
 *   stranger    random bytes of a type that nobody takes
 *
 * Any of them but a replay may go to everybody, and any may have a wrong frame check sequence.
 *
 * A forger who is `honest` signs with his own names, a few hosts that do not exist, at his own station. What claims to come
 * from a real host might rightly be believed; and so that a mutant of a real request changes no file that is looked at
 * afterwards, their names are changed in it.
 */
import type { RandomStream } from '@backplane/engine';
import { broadcastAddress, Frame, type StationAddress } from '@backplane/slots';
import { ETHER_TYPES, IP_PROTOCOLS, internetChecksum, onesComplementSum } from '@backplane/wire';
import { intruderStation } from './cluster.ts';

/** What the names of files begin with whose content counts; and what takes its place in a mutant. */
export const checkedName = 'checked-';
const forgedName = (host: number): string => `forge${host}`.padEnd(checkedName.length, '-');

/** Few enough hosts of the forger's own that all their channels together leave server processes for others. */
const firstHost = 100;
const hosts = 4;
/** Where a call has its number: word 7 of a Sprite RPC header; behind the headers of IP and UDP, the transaction. */
const callAt = 28;
/** The life of the caller: word 6 of a Sprite RPC header; in the short hand of a Sun RPC call. */
const lifeAt = { spriteRpc: 24, sunRpc: 76 } as const;

const capturesMax = 400;
const frameBytesMax = 1500;
/** Where programs that trust a length go wrong. */
const numbers = [
  0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 199, 200, 255, 256, 1024, 1025, 16_384, 16_385, 65_535, 65_536,
  0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
const takenTypes = [ETHER_TYPES.spriteRpc, ETHER_TYPES.arp, ETHER_TYPES.ipv4];
const rpcTypes = [0x100, 0x200, 0x400, 0x800, 0x1200];

export class Forge {
  readonly #random: RandomStream;
  readonly #stations: readonly StationAddress[];
  readonly #honest: boolean;
  readonly #captures: Frame[] = [];
  #calls = 0;
  /** Boot identifier of the forger's hosts, which reboot now and then. */
  #life = 0x7000_0000;

  constructor(random: RandomStream, stations: readonly StationAddress[], honest: boolean) {
    this.#random = random;
    this.#stations = stations;
    this.#honest = honest;
  }

  /** Takes a real frame for later; of many, any. */
  capture(frame: Frame): void {
    if (this.#captures.length < capturesMax) this.#captures.push(frame);
    else this.#captures[this.#random.below(capturesMax)] = frame;
  }

  next(): Frame {
    const random = this.#random;
    const kind = this.#captures.length === 0 ? 95 : random.below(100);
    if (kind < 15) return random.pick(this.#captures);
    if (kind < 50) return this.#altered(random.pick(this.#captures), (real) => this.#mutated(real));
    if (kind < 80) return this.#altered(random.pick(this.#captures), (real) => this.#meddled(real));
    if (kind < 87) return this.#sent(ETHER_TYPES.spriteRpc, this.#request());
    const type = kind < 95 ? random.pick(takenTypes) : random.below(0x1_0000);
    return this.#sent(type, this.#bytes(random.below(random.chance(0.5) ? 100 : frameBytesMax + 1)));
  }

  // ---- kinds ----

  #altered(real: Frame, how: (bytes: Uint8Array) => Uint8Array): Frame {
    const random = this.#random;
    const bytes = how(real.payload());
    const type = random.chance(0.03) ? random.pick(takenTypes) : real.type;
    if (this.#honest) {
      // A life that rises too far would be the end of the forger's host.
      if (type === ETHER_TYPES.ipv4)
        bytes.set(
          real.payload().subarray(lifeAt.sunRpc, Math.min(80, bytes.length)),
          Math.min(lifeAt.sunRpc, bytes.length),
        );
      this.#sign(type, bytes);
    } else if (type === ETHER_TYPES.ipv4) reseal(bytes, random.chance(0.7), random.chance(0.7));
    const destination = random.chance(0.7) ? real.destination : this.#destination();
    const source = this.#honest ? intruderStation : real.source;
    return new Frame(destination, source, type, [bytes], random.chance(0.05));
  }

  #mutated(real: Uint8Array): Uint8Array {
    const random = this.#random;
    let bytes: Uint8Array = real.slice();
    for (let times = 1 + random.below(4); times > 0; times--) {
      const at = random.below(Math.max(1, random.chance(0.8) ? Math.min(bytes.length, 100) : bytes.length));
      const kind = random.below(8);
      if (kind === 0) bytes = bytes.slice(0, random.below(bytes.length + 1));
      else if (kind === 1) bytes = joined(bytes.subarray(0, at), this.#bytes(random.below(200)));
      else if (kind === 2) this.#put(bytes, at - (at % 4), random.pick(numbers), 4);
      else if (kind === 3) this.#put(bytes, at - (at % 2), random.pick(numbers), 2);
      else if (kind === 4) bytes.subarray(at - (at % 4), at - (at % 4) + 4).reverse();
      else if (kind === 5) bytes.copyWithin(at, random.below(bytes.length + 1), bytes.length);
      else if (kind === 6) this.#put(bytes, at - (at % 4), random.below(300), 4);
      else if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
    return bytes;
  }

  /** The headers stay; what follows them has the same length. */
  #meddled(real: Uint8Array): Uint8Array {
    const random = this.#random;
    const bytes = real.slice();
    // A Sprite RPC header, or those of IP and UDP and what a call has before its arguments.
    const from = bytes[0] === 0x45 ? random.pick([80, 84, 88, 92]) : 64;
    for (let times = 1 + random.below(3); times > 0 && bytes.length > from; times--) {
      const at = from + random.below(bytes.length - from);
      const kind = random.below(3);
      if (kind === 0) this.#put(bytes, at - (at % 4), random.pick(numbers), 4);
      else if (kind === 1) this.#put(bytes, at - (at % 4), random.below(300), 4);
      else bytes[at] = random.below(256);
    }
    if (bytes.length >= 32) this.#put(bytes, callAt, view(bytes).getUint32(callAt) + 1 + random.below(50), 4);
    return bytes;
  }

  #request(): Uint8Array {
    const random = this.#random;
    const bytes = this.#bytes(random.below(random.chance(0.7) ? 200 : 1400));
    const header = new Uint8Array(64);
    const parameters = Math.min(1024, random.chance(0.7) ? 4 * random.below(30) : bytes.length, bytes.length);
    const data = Math.min(random.chance(0.8) ? bytes.length - parameters : random.below(1400), 16_384);
    const known = this.#captures.find((f) => f.type === ETHER_TYPES.spriteRpc && f.lengthBytes >= 64);
    const hint = known === undefined ? 0 : view(known.payload()).getUint32(20);
    const isReply = random.chance(0.2);
    const flags = random.chance(0.9)
      ? isReply
        ? 0x400
        : 0x110
      : random.pick(rpcTypes) | random.below(0x100);
    const channel = random.below(8);
    const [client, server] = isReply
      ? [2 + random.below(2), 1]
      : [2, random.chance(0.9) ? 1 : random.below(4)];
    const command = random.chance(0.95) ? random.below(130) : random.pick(numbers);
    const words = [
      0x0f0e0003,
      flags,
      client,
      server,
      channel,
      hint,
      0,
      random.below(1 << 30),
      0,
      0,
      0,
      command,
    ];
    words.push(parameters, data, 0, 0);
    words.forEach((word, n) => {
      this.#put(header, 4 * n, word, 4);
    });
    const request = joined(header, bytes);
    if (this.#honest) this.#sign(ETHER_TYPES.spriteRpc, request);
    return request;
  }

  // ---- parts ----

  #sent(type: number, bytes: Uint8Array): Frame {
    return new Frame(this.#destination(), intruderStation, type, [bytes], this.#random.chance(0.05));
  }

  #destination(): StationAddress {
    return this.#random.chance(0.1) ? broadcastAddress : this.#random.pick(this.#stations);
  }

  #bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#random.below(256));
  }

  #put(bytes: Uint8Array, at: number, value: number, width: 2 | 4): void {
    if (at + width > bytes.length) return;
    if (width === 4) view(bytes).setUint32(at, value);
    else view(bytes).setUint16(at, value & 0xffff);
  }

  /** Puts a name of the forger's own in the place where a frame of this type says who sends it. */
  #sign(type: number, bytes: Uint8Array): void {
    const random = this.#random;
    const host = random.chance(0.98) ? firstHost + random.below(hosts) : 0;
    rename(bytes, host);
    if (type === ETHER_TYPES.spriteRpc && bytes.length >= 16) {
      const swapped = view(bytes).getUint32(0) === 0x03000e0f;
      const toServer = (view(bytes).getUint32(4, swapped) & 0x10) !== 0;
      view(bytes).setUint32(toServer ? 8 : 12, host, swapped);
      if (random.chance(0.005)) this.#life++;
      if (bytes.length >= 32) {
        view(bytes).setUint32(lifeAt.spriteRpc, this.#life - (random.chance(0.05) ? 1 : 0), swapped);
        if (random.chance(0.9)) view(bytes).setUint32(callAt, ++this.#calls, swapped);
      }
    } else if (type === ETHER_TYPES.arp && bytes.length >= 18) {
      this.#put(bytes, 8, 0x02ee, 2);
      this.#put(bytes, 10, 1, 4);
      this.#put(bytes, 14, host, 4);
    } else if (type === ETHER_TYPES.ipv4 && bytes.length >= 20) {
      this.#put(bytes, 12, 0x0a010000 + host, 4);
      // Whom the short hand of a call was given to. Its life and its number stay: they have to fit each other.
      if (bytes.length >= 80 && view(bytes).getUint32(52) === 2) this.#put(bytes, 72, host, 4);
      reseal(bytes, random.chance(0.7), random.chance(0.7));
    }
  }
}

/** Names the forger's own files in the place of those that are checked. */
function rename(bytes: Uint8Array, host: number): void {
  for (let at = 0; at + checkedName.length <= bytes.length; at++)
    if ([...checkedName].every((c, i) => bytes[at + i] === c.charCodeAt(0)))
      for (const [i, c] of [...forgedName(host)].entries()) bytes[at + i] = c.charCodeAt(0);
}

/** Makes the checksums of a datagram right again, as a forger would: of the IP header, of UDP. */
function reseal(bytes: Uint8Array, header: boolean, udp: boolean): void {
  const headerBytes = 4 * ((bytes[0] ?? 0) % 16);
  if (headerBytes < 20 || headerBytes > bytes.length) return;
  const total = Math.min(view(bytes).getUint16(2), bytes.length);
  const isFragment = (view(bytes).getUint16(6) & 0x3fff) !== 0;
  if (udp && !isFragment && bytes[9] === IP_PROTOCOLS.udp && total >= headerBytes + 8) {
    const datagram = bytes.subarray(headerBytes, total);
    const length = view(datagram).getUint16(4);
    view(datagram).setUint16(6, 0);
    if (length <= datagram.length) {
      const pseudoHeader = onesComplementSum(bytes, 12, 20) + IP_PROTOCOLS.udp + length;
      view(datagram).setUint16(6, internetChecksum(datagram, 0, length, pseudoHeader) || 0xffff);
    }
  }
  if (!header) return;
  view(bytes).setUint16(10, 0);
  view(bytes).setUint16(10, internetChecksum(bytes, 0, headerBytes));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.min(a.length + b.length, frameBytesMax));
  bytes.set(a.subarray(0, bytes.length));
  bytes.set(b.subarray(0, bytes.length - a.length), a.length);
  return bytes;
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
