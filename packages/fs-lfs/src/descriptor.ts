/** A file's descriptor in memory, and its 192 bytes on the disk. Pointers are in block-index.ts. */
import { checkedDevice, isTime, type StoredFile } from '@backplane/file-service';
import { fileTypes, type NewFile } from '@backplane/slots';
import { blockSectors, type DescriptorRecord, descriptorRecord, linksMax } from './layouts.ts';
import { fromWire, putNs } from './times.ts';

export interface Descriptor extends StoredFile {
  readonly generation: number;
  truncations: number;
  /** Of a directory: the one that it is in. */
  parent: number;
  /** Of one block of the file. */
  blockSectors: number;
}

/** @throws KernelError `badArgument` for what a descriptor cannot hold */
export function newDescriptor(file: NewFile, generation: number, nowNs: number): Descriptor {
  const device = checkedDevice(file);
  return {
    type: file.type,
    sizeBytes: 0,
    links: file.type === 'directory' ? 2 : 1,
    mode: file.mode & 0o7777,
    uid: file.uid,
    gid: file.gid,
    version: 1,
    device,
    modifyNs: nowNs,
    changeNs: nowNs,
    accessNs: nowNs,
    createNs: nowNs,
    generation,
    truncations: 0,
    parent: 0,
    blockSectors,
  };
}

/** Writes all but the pointers. Field by field, since every file that is made comes through here. */
export function encodeDescriptor(number: number, d: Descriptor, bytes: Uint8Array, at: number): void {
  const { set, offset } = descriptorRecord;
  set.number(bytes, at, number);
  set.generation(bytes, at, d.generation);
  set.truncations(bytes, at, d.truncations);
  set.type(bytes, at, fileTypes.indexOf(d.type));
  set.mode(bytes, at, d.mode);
  set.uid(bytes, at, d.uid);
  set.gid(bytes, at, d.gid);
  set.links(bytes, at, d.links);
  set.parent(bytes, at, d.parent);
  set.version(bytes, at, d.version);
  set.sizeBytes(bytes, at, d.sizeBytes);
  set.blockSectors(bytes, at, d.blockSectors);
  set.deviceHost(bytes, at, d.device.host);
  set.deviceType(bytes, at, d.device.type);
  set.deviceUnit(bytes, at, d.device.unit);
  putNs(bytes, at + offset.modifyNs, d.modifyNs);
  putNs(bytes, at + offset.changeNs, d.changeNs);
  putNs(bytes, at + offset.createNs, d.createNs);
  putNs(bytes, at + offset.accessNs, d.accessNs);
}

/** Undefined for one that makes no sense. */
export function descriptorFrom(r: DescriptorRecord): Descriptor | undefined {
  const type = fileTypes[r.type];
  const times = [r.modifyNs, r.changeNs, r.createNs, r.accessNs].map(fromWire);
  const [modifyNs = 0, changeNs = 0, createNs = 0, accessNs = 0] = times;
  const sound =
    r.mode <= 0o7777 &&
    r.links <= linksMax &&
    blockSectorsAllowed.includes(r.blockSectors) &&
    times.every(isTime);
  if (type === undefined || !sound) return undefined;
  return {
    type,
    sizeBytes: r.sizeBytes,
    links: r.links,
    mode: r.mode,
    uid: r.uid,
    gid: r.gid,
    version: r.version,
    generation: r.generation,
    truncations: r.truncations,
    parent: r.parent,
    device: { host: r.deviceHost, type: r.deviceType, unit: r.deviceUnit },
    blockSectors: r.blockSectors,
    modifyNs,
    changeNs,
    createNs,
    accessNs,
  };
}

/** 4, 8, 16, 32 and 64 KB. */
const blockSectorsAllowed: readonly number[] = [1, 2, 4, 8, 16].map((n) => n * blockSectors);
