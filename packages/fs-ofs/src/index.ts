/** Slot `storage`: Sprite's original file system, an audit of its disks, and their layouts for tools. */

export type { Finding } from './audit.ts';
export { auditOfs } from './audit.ts';
export type { OfsOptions } from './board.ts';
export { ofsStorage } from './board.ts';
export type { DescriptorRecord, DirectoryRecord, DiskLabel, DomainHeader, Summary } from './layouts.ts';
export { descriptorRecord, directoryRecord, diskLabel, domainHeader, summary } from './layouts.ts';
