/**
 * Where a frame that is no good has to be counted by the host that it reaches, found from the specifications of the link, of
 * ARP, IP, UDP and of Sprite's RPC packets. Undefined for a frame that may be sound.
 */
import type { Frame } from '@backplane/slots';
import { ETHER_TYPES, IP_PROTOCOLS, internetChecksum, onesComplementSum } from '@backplane/wire';
import type { Carriage } from './cluster.ts';

export function mustBeCounted(frame: Frame, host: number, carriage: Carriage): string | undefined {
  if (frame.damaged) return 'network.damaged';
  const bytes = frame.payload();
  if (frame.type === ETHER_TYPES.arp) return arpIsSound(bytes) ? undefined : 'arp.malformed';
  if (frame.type === ETHER_TYPES.ipv4) return internet(bytes, host, carriage);
  if (carriage === 'Sprite RPC' && frame.type === ETHER_TYPES.spriteRpc) return spriteRpc(bytes);
  return 'network.unclaimed';
}

/** RFC 826, with protocol addresses of four bytes; Sprite's hosts are 1 to 199. */
function arpIsSound(bytes: Uint8Array): boolean {
  if (bytes.length < 28) return false;
  const words = view(bytes);
  const operation = words.getUint16(6);
  if (words.getUint16(0) !== 1 || words.getUint16(4) !== 0x0604) return false;
  if (operation !== 1 && operation !== 2) return false;
  if (words.getUint16(2) !== ETHER_TYPES.spriteRpc) return true;
  const sender = words.getUint32(14);
  return sender >= 1 && sender <= 199 && words.getUint8(8) % 2 === 0;
}

/** RFC 791, section 3.1; RFC 768. */
function internet(bytes: Uint8Array, host: number, carriage: Carriage): string | undefined {
  if (bytes.length < 20) return 'ip.malformed';
  const words = view(bytes);
  const headerBytes = 4 * (words.getUint8(0) % 16);
  const totalBytes = words.getUint16(2);
  const lengths = headerBytes >= 20 && headerBytes <= totalBytes && totalBytes <= bytes.length;
  if (words.getUint8(0) >>> 4 !== 4 || !lengths) return 'ip.malformed';
  if (internetChecksum(bytes, 0, headerBytes) !== 0) return 'ip.malformed';
  const source = words.getUint32(12);
  if (source <= 0x0a010000 || source > 0x0a010000 + 199 || source === 0x0a010000 + host)
    return 'ip.malformed';
  const destination = words.getUint32(16);
  if (destination !== 0x0a010000 + host && destination !== 0xffff_ffff) return 'ip.astray';
  const isFragment = (words.getUint16(6) & 0x3fff) !== 0;
  if (isFragment) return undefined;
  if (carriage !== 'Sun RPC' || words.getUint8(9) !== IP_PROTOCOLS.udp) return 'ip.unclaimed';
  const udp = bytes.subarray(headerBytes, totalBytes);
  if (udp.length < 8) return 'rpc.malformed';
  const lengthBytes = view(udp).getUint16(4);
  if (lengthBytes < 8 || lengthBytes > udp.length) return 'rpc.malformed';
  if (view(udp).getUint16(6) === 0) return undefined;
  const pseudoHeader = onesComplementSum(bytes, 12, 20) + IP_PROTOCOLS.udp + lengthBytes;
  return internetChecksum(udp, 0, lengthBytes, pseudoHeader) === 0 ? undefined : 'rpc.malformed';
}

/** Welch 1990, appendix C: 16 words in the sender's byte order, which the version tells. */
function spriteRpc(bytes: Uint8Array): string | undefined {
  if (bytes.length < 64) return 'rpc.malformed';
  const words = view(bytes);
  const version = words.getUint32(0);
  if (version !== 0x0f0e0003 && version !== 0x03000e0f) return 'rpc.wrongVersion';
  const word = (n: number): number => words.getUint32(4 * n, version === 0x03000e0f);
  const [parameters, data, parametersAt, dataAt] = [word(12), word(13), word(14), word(15)];
  const fits = parameters + parametersAt <= 1024 && data + dataAt <= 16_384;
  const isThere = 64 + parameters + data <= bytes.length;
  const known = word(2) < 200 && word(3) < 200 && word(4) < 8;
  return fits && isThere && known && word(9) <= 16 ? undefined : 'rpc.malformed';
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
