/** A file's descriptor in memory, and its 128 bytes on the disk. */
import { checkedDevice, isTime, type StoredFile } from '@backplane/file-service';
import { fileTypes, type NewFile } from '@backplane/slots';
import {
  allocatedFlag,
  blockBytes,
  descriptorMagic,
  descriptorRecord,
  directBlocks,
  fileBytesMax,
  fragmentBytes,
  fragmentsPerBlock,
  freeFlag,
  linksMax,
  none,
} from './layouts.ts';

export interface Descriptor extends StoredFile {
  readonly generation: number;
  readonly direct: number[];
  /** Index blocks: single, double, and one that is never used. */
  readonly indirect: number[];
}

/** The index of a file's last block; -1 for an empty one. */
export const lastBlock = (sizeBytes: number): number => Math.ceil(sizeBytes / blockBytes) - 1;

/** How many fragments a block of a file of that size has on the disk, if it is there at all. */
export function fragmentsIn(sizeBytes: number, block: number): number {
  if (block >= directBlocks || block !== lastBlock(sizeBytes)) return fragmentsPerBlock;
  return Math.ceil((sizeBytes - block * blockBytes) / fragmentBytes);
}

/** @throws KernelError `badArgument` for what a descriptor cannot hold */
export const newDescriptor = (file: NewFile, generation: number, nowNs: number): Descriptor => ({
  type: file.type,
  sizeBytes: 0,
  links: 0,
  mode: file.mode & 0o7777,
  uid: file.uid,
  gid: file.gid,
  version: 1,
  device: checkedDevice(file, 0xffff),
  modifyNs: nowNs,
  changeNs: nowNs,
  accessNs: nowNs,
  createNs: nowNs,
  generation,
  direct: Array.from({ length: directBlocks }, () => none),
  indirect: [none, none, none],
});

const toWire = (ns: number): bigint => BigInt.asUintN(64, BigInt(ns));
const fromWire = (ns: bigint): number => Number(BigInt.asIntN(64, ns));

/** @param allocated false writes a free descriptor, which keeps its generation and nothing else */
export function encodeDescriptor(d: Descriptor, allocated: boolean): Uint8Array {
  if (!allocated) return encodeFree(d.generation);
  return descriptorRecord.encode({
    magic: descriptorMagic,
    flags: allocatedFlag,
    type: fileTypes.indexOf(d.type),
    mode: d.mode,
    uid: d.uid,
    gid: d.gid,
    sizeBytes: d.sizeBytes,
    links: d.links,
    deviceType: d.device.type,
    version: d.version,
    generation: d.generation,
    deviceHost: d.device.host,
    deviceUnit: d.device.unit,
    modifyNs: toWire(d.modifyNs),
    changeNs: toWire(d.changeNs),
    accessNs: toWire(d.accessNs),
    createNs: toWire(d.createNs),
    direct: d.direct,
    indirect: d.indirect,
  });
}

export function encodeFree(generation: number): Uint8Array {
  const bytes = descriptorRecord.encode({
    ...descriptorRecord.decode(new Uint8Array(descriptorRecord.size)),
    magic: descriptorMagic,
    flags: freeFlag,
    generation,
  });
  return bytes;
}

/** The generation that a descriptor's number had last, allocated or not. */
export const generationAt = (bytes: Uint8Array, at: number): number =>
  descriptorRecord.get.generation(bytes, at);

/** `free`: never used, or freed. `damaged`: allocated, and makes no sense. */
export function decodeDescriptor(bytes: Uint8Array, at: number): Descriptor | 'free' | 'damaged' {
  if (bytes.length < at + descriptorRecord.size) return 'damaged';
  // Most of a disk's descriptors are free: a whole one is decoded only where a file is.
  const { get } = descriptorRecord;
  const magic = get.magic(bytes, at);
  const flags = get.flags(bytes, at);
  if (magic === 0 && flags === 0) return 'free';
  if (magic !== descriptorMagic) return 'damaged';
  if (flags === freeFlag) return 'free';
  const r = descriptorRecord.decode(bytes, at);
  const type = fileTypes[r.type];
  const times = [r.modifyNs, r.changeNs, r.accessNs, r.createNs].map(fromWire);
  const [modifyNs = 0, changeNs = 0, accessNs = 0, createNs = 0] = times;
  if (
    r.flags !== allocatedFlag ||
    type === undefined ||
    r.mode > 0o7777 ||
    r.links > linksMax ||
    r.sizeBytes > fileBytesMax ||
    !times.every(isTime)
  )
    return 'damaged';
  return {
    type,
    sizeBytes: r.sizeBytes,
    links: r.links,
    mode: r.mode,
    uid: r.uid,
    gid: r.gid,
    version: r.version,
    generation: r.generation,
    device: { host: r.deviceHost, type: r.deviceType, unit: r.deviceUnit },
    modifyNs,
    changeNs,
    accessNs,
    createNs,
    direct: [...r.direct],
    indirect: [...r.indirect],
  };
}
