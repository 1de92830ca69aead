/** What every storage on a disk does to a file's attributes, whatever its descriptors look like. */
import { type AttributeChange, KernelError, type NewFile, type StoredAttributes } from '@backplane/slots';

/** What 64 bits hold: 292 years either way. Beyond 104 days a number has it to less than a microsecond only. */
export const isTime = (ns: number): boolean => Number.isInteger(ns) && Math.abs(ns) < 0x8000_0000_0000_0000;

/** A file's attributes in memory, to be changed in place. */
export type StoredFile = { -readonly [K in keyof Omit<StoredAttributes, 'device'>]: StoredAttributes[K] } & {
  readonly device: NonNullable<StoredAttributes['device']>;
};

const isWord = (n: number, max = 0xffff_ffff): boolean => Number.isInteger(n) && n >= 0 && n <= max;

/**
 * The device of a new file, zeros for another.
 *
 * @param deviceTypeMax what the descriptor has room for
 * @throws KernelError `badArgument` for an owner or a device that 32 bits cannot hold
 */
export function checkedDevice(file: NewFile, deviceTypeMax = 0xffff_ffff): StoredFile['device'] {
  const { uid, gid, device = noDevice } = file;
  const { host, type, unit } = device;
  if (!isWord(uid) || !isWord(gid) || !isWord(host) || !isWord(unit) || !isWord(type, deviceTypeMax))
    throw new KernelError('badArgument', 'owner or device');
  return device === noDevice ? noDevice : { host, type, unit };
}
/** Most files are none, and share this. */
const noDevice: StoredFile['device'] = { host: 0, type: 0, unit: 0 };

/** @throws KernelError `badArgument` for what 32 bits, or a time, cannot hold; nothing is changed then */
export function changeStoredFile(f: StoredFile, c: AttributeChange): void {
  for (const n of [c.uid, c.gid, c.version])
    if (n !== undefined && !isWord(n)) throw new KernelError('badArgument', 'owner or version');
  for (const ns of [c.modifyNs, c.changeNs, c.accessNs, c.createNs])
    if (ns !== undefined && !isTime(ns)) throw new KernelError('badArgument', 'time');
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
