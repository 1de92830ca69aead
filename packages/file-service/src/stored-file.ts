/** What every storage on a disk does to a file's attributes, whatever its descriptors look like. */
import { type AttributeChange, KernelError, type NewFile, type StoredAttributes } from '@backplane/slots';

/** A file's attributes in memory, to be changed in place. */
export type StoredFile = { -readonly [K in keyof Omit<StoredAttributes, 'device'>]: StoredAttributes[K] } & {
  readonly device: NonNullable<StoredAttributes['device']>;
};

const isWord = (n: number, max = 0xffff_ffff): boolean => Number.isInteger(n) && n >= 0 && n <= max;

/**
 * A new file's attributes, without links.
 *
 * @param deviceTypeMax what the descriptor has room for
 * @throws KernelError `badArgument` for what 32 bits cannot hold
 */
export function newStoredFile(file: NewFile, nowNs: number, deviceTypeMax = 0xffff_ffff): StoredFile {
  const { uid, gid, device = { host: 0, type: 0, unit: 0 } } = file;
  const words = [uid, gid, device.host, device.unit];
  if (!words.every((n) => isWord(n)) || !isWord(device.type, deviceTypeMax))
    throw new KernelError('badArgument', 'owner or device');
  return {
    type: file.type,
    sizeBytes: 0,
    links: 0,
    mode: file.mode & 0o7777,
    uid,
    gid,
    version: 1,
    device: { host: device.host, type: device.type, unit: device.unit },
    modifyNs: nowNs,
    changeNs: nowNs,
    accessNs: nowNs,
    createNs: nowNs,
  };
}

/** @throws KernelError `badArgument` for what 32 bits, or a time, cannot hold; nothing is changed then */
export function changeStoredFile(f: StoredFile, c: AttributeChange): void {
  for (const n of [c.uid, c.gid, c.version])
    if (n !== undefined && !isWord(n)) throw new KernelError('badArgument', 'owner or version');
  for (const ns of [c.modifyNs, c.changeNs, c.accessNs, c.createNs])
    if (ns !== undefined && !Number.isSafeInteger(ns)) throw new KernelError('badArgument', 'time');
  if (c.mode !== undefined) f.mode = c.mode & 0o7777;
  f.uid = c.uid ?? f.uid;
  f.gid = c.gid ?? f.gid;
  f.version = c.version ?? f.version;
  f.modifyNs = c.modifyNs ?? f.modifyNs;
  f.changeNs = c.changeNs ?? f.changeNs;
  f.accessNs = c.accessNs ?? f.accessNs;
  f.createNs = c.createNs ?? f.createNs;
}

const isDevice = (type: StoredAttributes['type']): boolean => type === 'device' || type === 'pseudoDevice';

export function attributesOfStored(f: StoredFile): StoredAttributes {
  return {
    type: f.type,
    sizeBytes: f.sizeBytes,
    links: f.links,
    mode: f.mode,
    uid: f.uid,
    gid: f.gid,
    version: f.version,
    modifyNs: f.modifyNs,
    changeNs: f.changeNs,
    accessNs: f.accessNs,
    createNs: f.createNs,
    ...(isDevice(f.type) && { device: f.device }),
  };
}
