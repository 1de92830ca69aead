/** Slot `storage`: Sprite's original file system, what its disks look like from outside, and their layouts for tools. */

export type { OfsOptions } from './board.ts';
export { ofsStorage } from './board.ts';
export { ofsFormat } from './format.ts';
export type { DescriptorRecord, DirectoryRecord, DiskLabel, DomainHeader, Summary } from './layouts.ts';
export { descriptorRecord, directoryRecord, diskLabel, domainHeader, summary } from './layouts.ts';
