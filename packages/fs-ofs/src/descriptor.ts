/** A file's descriptor in memory, and its 128 bytes on the disk. */
import {
  type AttributeChange,
  fileTypes,
  KernelError,
  type NewFile,
  type StoredAttributes,
} from '@backplane/slots';
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

export type Descriptor = { -readonly [K in keyof Omit<StoredAttributes, 'device'>]: StoredAttributes[K] } & {
  readonly generation: number;
  readonly device: { readonly host: number; readonly type: number; readonly unit: number };
  readonly direct: number[];
  /** Index blocks: single, double, and one that is never used. */
  readonly indirect: number[];
};

/** The index of a file's last block; -1 for an empty one. */
export const lastBlock = (sizeBytes: number): number => Math.ceil(sizeBytes / blockBytes) - 1;

/** How many fragments a block of a file of that size has on the disk, if it is there at all. */
export function fragmentsIn(sizeBytes: number, block: number): number {
  if (block >= directBlocks || block !== lastBlock(sizeBytes)) return fragmentsPerBlock;
  return Math.ceil((sizeBytes - block * blockBytes) / fragmentBytes);
}

const isWord = (n: number, max: number): boolean => Number.isInteger(n) && n >= 0 && n <= max;

/** @throws KernelError `badArgument` for what a descriptor cannot hold */
export function newDescriptor(file: NewFile, generation: number, nowNs: number): Descriptor {
  const device = file.device ?? { host: 0, type: 0, unit: 0 };
  if (
    !isWord(file.uid, 0xffffffff) ||
    !isWord(file.gid, 0xffffffff) ||
    !isWord(device.host, 0xffffffff) ||
    !isWord(device.type, 0xffff) ||
    !isWord(device.unit, 0xffffffff)
  )
    throw new KernelError('badArgument', 'owner or device');
  return {
    type: file.type,
    sizeBytes: 0,
    links: 0,
    mode: file.mode & 0o7777,
    uid: file.uid,
    gid: file.gid,
    version: 1,
    generation,
    device: { host: device.host, type: device.type, unit: device.unit },
    modifyNs: nowNs,
    changeNs: nowNs,
    accessNs: nowNs,
    createNs: nowNs,
    direct: Array.from({ length: directBlocks }, () => none),
    indirect: [none, none, none],
  };
}

/** @throws KernelError `badArgument` for what a descriptor cannot hold; nothing is changed then */
export function changeDescriptor(d: Descriptor, c: AttributeChange): void {
  for (const n of [c.uid, c.gid, c.version])
    if (n !== undefined && !isWord(n, 0xffffffff)) throw new KernelError('badArgument', 'owner or version');
  for (const ns of [c.modifyNs, c.changeNs, c.accessNs, c.createNs])
    if (ns !== undefined && !Number.isSafeInteger(ns)) throw new KernelError('badArgument', 'time');
  if (c.mode !== undefined) d.mode = c.mode & 0o7777;
  d.uid = c.uid ?? d.uid;
  d.gid = c.gid ?? d.gid;
  d.version = c.version ?? d.version;
  d.modifyNs = c.modifyNs ?? d.modifyNs;
  d.changeNs = c.changeNs ?? d.changeNs;
  d.accessNs = c.accessNs ?? d.accessNs;
  d.createNs = c.createNs ?? d.createNs;
}

const isDevice = (type: StoredAttributes['type']): boolean => type === 'device' || type === 'pseudoDevice';

export function attributesOf(d: Descriptor): StoredAttributes {
  return {
    type: d.type,
    sizeBytes: d.sizeBytes,
    links: d.links,
    mode: d.mode,
    uid: d.uid,
    gid: d.gid,
    version: d.version,
    modifyNs: d.modifyNs,
    changeNs: d.changeNs,
    accessNs: d.accessNs,
    createNs: d.createNs,
    ...(isDevice(d.type) && { device: d.device }),
  };
}

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
    !times.every(Number.isSafeInteger)
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
