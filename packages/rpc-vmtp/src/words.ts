/**
 * Headings word by word, for the places that take or make one for every packet: where the fields lie in the third and fourth
 * word, which `vmtpHeader` says too, for everybody else. The layout is what is true; a test compares them.
 */
import type { ControlFields } from './layout.ts';

export const thirdWord = {
  versionShift: 29,
  domainShift: 16,
  domainMask: 0x1fff,
  headerChecksumOnly: 0x8000,
  encrypted: 0x4000,
  multicast: 0x2000,
  lengthMask: 0x1fff,
} as const;

export const fourthWord = {
  flagsShift: 24,
  delayShift: 23,
  retransmitShift: 20,
  retransmitMask: 7,
  forwardShift: 16,
  forwardMask: 15,
  gapShift: 8,
  gapMask: 0xff,
  priorityShift: 4,
  priorityMask: 15,
  unassigned: 0xe,
  functionCode: 1,
} as const;

/** A word from that byte on. Bytes beyond the end are 0: that is what a shift makes of what is undefined. */
export const wordAt = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;

export function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

/** The fourth word, as the notices carry it; absent fields are 0. */
export const controlWord = (fields: Partial<ControlFields>): number =>
  (((fields.flags ?? 0) << fourthWord.flagsShift) |
    ((fields.delayResponse ?? 0) << fourthWord.delayShift) |
    (((fields.retransmitCount ?? 0) & fourthWord.retransmitMask) << fourthWord.retransmitShift) |
    (((fields.forwardCount ?? 0) & fourthWord.forwardMask) << fourthWord.forwardShift) |
    (((fields.gap ?? 0) & fourthWord.gapMask) << fourthWord.gapShift) |
    (((fields.priority ?? 0) & fourthWord.priorityMask) << fourthWord.priorityShift) |
    ((fields.unassigned ?? 0) << 1) |
    (fields.functionCode ?? 0)) >>>
  0;

export const controlFields = (word: number): ControlFields => ({
  flags: word >>> fourthWord.flagsShift,
  delayResponse: (word >>> fourthWord.delayShift) & 1,
  retransmitCount: (word >>> fourthWord.retransmitShift) & fourthWord.retransmitMask,
  forwardCount: (word >>> fourthWord.forwardShift) & fourthWord.forwardMask,
  gap: (word >>> fourthWord.gapShift) & fourthWord.gapMask,
  priority: (word >>> fourthWord.priorityShift) & fourthWord.priorityMask,
  unassigned: (word & fourthWord.unassigned) >>> 1,
  functionCode: word & fourthWord.functionCode,
});
