/** The drives, by what they were. */
import { exact, fitted, prior, stated } from '@backplane/slots';
import { type DriveProfile, defineDrive } from './profile.ts';

const eagleTable = 'disktab of Dynix 3.2: ns#46 nt#20 nc#842 rm#3961, 774640 sectors in all';
const wren4Table =
  'SunOS format table, as in the fdisk of Linux: CDC Wren IV 94171-344, 1545 cylinders of data, 9 heads, 46 sectors, 3600 rpm';
const wren6Sheet = 'data sheet of the Imprimis Wren VI 94191-766, after Seagate product manual 77765353-L';
const shoeboxLabel =
  'Sun disk label of the Micropolis 1325: 1024 cylinders, 8 heads, 17 sectors, interleave 1';
const wren2Sheet =
  'data sheet of the CDC Wren II 94155-85, a contemporary with the same geometry and interface';
const aligned = 'formatted by the controller without skew';
const embedded = 'drives with an embedded controller hide a head switch behind so many sectors';

/** The disk of the published Sun-3 servers: 400 MB, SMD. */
const eagle: DriveProfile = /* @__PURE__ */ defineDrive({
  name: 'eagle',
  description: 'Fujitsu M2351 Eagle, 397 MB, SMD, 1982',
  figures: {
    cylinders: stated(842, eagleTable),
    heads: stated(20, eagleTable),
    sectorsPerTrack: stated(46, eagleTable),
    rpm: stated(3961, eagleTable),
    singleSeekMs: prior(5, 'usual for a rotary arm of 1982; the average and the rotation decide nearly all'),
    averageSeekMs: stated(18, "the maker's figure, as in histories of the drive"),
    fullSeekMs: prior(35, 'about twice the average, as in other drives of its makers'),
    headSwitchMs: prior(
      0,
      'electronic, within the gap between two sectors: the servo has a surface of its own',
    ),
    trackSkewSectors: prior(0, aligned),
    cylinderSkewSectors: prior(0, aligned),
    overheadMs: prior(
      0,
      'none is known of the SMD controllers; what the kernel does is charged by the kernel',
    ),
    bufferSectors: exact(0, 'SMD is a bit stream: the drive has no memory'),
    busBytesPerSecond: exact(0, 'no buffer'),
  },
});

/** The disk of the log-structured measurements. */
const wrenIv: DriveProfile = /* @__PURE__ */ defineDrive({
  name: 'wren-iv',
  description: 'CDC Wren IV 94171, 327 MB, SCSI, 1988',
  figures: {
    cylinders: stated(1545, wren4Table),
    heads: stated(9, wren4Table),
    sectorsPerTrack: stated(46, wren4Table),
    rpm: stated(3600, wren4Table),
    singleSeekMs: prior(3.5, 'between its predecessor (5.0) and its successor (3.0)'),
    averageSeekMs: stated(17.5, 'Rosenblum and Ousterhout 1991, section 5.1'),
    fullSeekMs: prior(37, 'about twice the average'),
    headSwitchMs: prior(0.7, embedded),
    trackSkewSectors: prior(2, embedded),
    cylinderSkewSectors: prior(10, 'covers the seek to the next cylinder'),
    overheadMs: fitted(3.7, 'average access 29.5 ms (Rosenblum 1992, Table 4-1), less seek and half a turn'),
    bufferSectors: prior(64, 'its mode page 38h controls a cache, as in the Wren VI, which has 32 KB'),
    busBytesPerSecond: prior(1_500_000, 'asynchronous SCSI'),
  },
});

const wrenVi: DriveProfile = /* @__PURE__ */ defineDrive({
  name: 'wren-vi',
  description: 'Imprimis Wren VI 94191-766, 677 MB, SCSI, 1990',
  figures: {
    cylinders: stated(1632, wren6Sheet),
    heads: stated(15, wren6Sheet),
    sectorsPerTrack: stated(54, wren6Sheet),
    rpm: stated(3597, wren6Sheet),
    singleSeekMs: stated(3, wren6Sheet),
    averageSeekMs: stated(15.5, wren6Sheet),
    fullSeekMs: prior(34, 'about twice the average'),
    headSwitchMs: prior(0.6, embedded),
    trackSkewSectors: prior(2, embedded),
    cylinderSkewSectors: prior(10, 'covers the seek to the next cylinder'),
    overheadMs: prior(3.7, 'as fitted for the Wren IV'),
    bufferSectors: stated(64, wren6Sheet),
    busBytesPerSecond: stated(4_700_000, wren6Sheet),
  },
});

/** The disk beside the desk: a box with a drive and a SCSI bridge. */
const shoebox: DriveProfile = /* @__PURE__ */ defineDrive({
  name: 'shoebox',
  description: 'Micropolis 1325 behind an Adaptec ACB-4000, 71 MB, in the box beside a Sun-3',
  figures: {
    cylinders: stated(1024, shoeboxLabel),
    heads: stated(8, shoeboxLabel),
    sectorsPerTrack: stated(17, shoeboxLabel),
    rpm: prior(3600, wren2Sheet),
    singleSeekMs: prior(5, wren2Sheet),
    averageSeekMs: prior(28, wren2Sheet),
    fullSeekMs: prior(60, 'about twice the average'),
    headSwitchMs: prior(0, 'electronic'),
    trackSkewSectors: prior(0, aligned),
    cylinderSkewSectors: prior(0, aligned),
    overheadMs: prior(1.5, 'the bridge takes a command apart on an 8085'),
    bufferSectors: prior(0, 'the bridge holds one sector'),
    busBytesPerSecond: exact(0, 'no buffer'),
  },
});

/** For machines that cost nothing: no events, no time. */
const instant: DriveProfile = Object.freeze({
  name: 'instant',
  description: 'no mechanism: every request is done at once',
  sectors: 800_000,
  figures: null,
  sources: Object.freeze({}),
});

/** All of them, for lists and for looking one up by name. */
export const driveProfiles: readonly DriveProfile[] = /* @__PURE__ */ Object.freeze([
  eagle,
  wrenIv,
  wrenVi,
  shoebox,
  instant,
]);
export const profileNames = ['eagle', 'wren-iv', 'wren-vi', 'shoebox', 'instant'] as const;
export type ProfileName = (typeof profileNames)[number];

export function driveProfile(name: ProfileName): DriveProfile {
  return driveProfiles.find((p) => p.name === name) ?? instant;
}
