/** Slot `disk`: drives with a mechanism, and one without. */
export type { DriveOptions } from './board.ts';
export { drive } from './board.ts';
export type { DriveFigures, DriveProfile } from './profile.ts';
export type { ProfileName } from './profiles.ts';
export { driveProfiles } from './profiles.ts';
export type { Policy } from './request-queue.ts';
export type { DiskTraceKind } from './trace-kinds.ts';
