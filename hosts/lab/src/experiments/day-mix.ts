/**
 * What users of a cluster of workstations do in a day, by the one study of such a cluster that gives rates (Baker, Hartman,
 * Kupfer, Shirriff and Ousterhout 1991): eight traces of 24 hours on Sprite. Where it gives a range, its middle.
 */
import { type NotedCost, prior, stated } from '@backplane/slots';

const study = 'Baker et al. 1991';

type Name =
  | 'opensPerDay'
  | 'deletesPerDay'
  | 'activeUsers'
  | 'bytesPerSecond'
  | 'writeShare'
  | 'bothShare'
  | 'wholeReadShare'
  | 'wholeWriteShare'
  | 'pagingShare'
  | 'unitBytes'
  | 'shortShare'
  | 'shortBytes'
  | 'systemShare'
  | 'accessesPerProgram';

export const dayMix: { readonly [N in Name]: NotedCost } = {
  opensPerDay: stated(195_500, `${study}: 116,000 to 275,000 opens in a trace`),
  deletesPerDay: stated(24_000, `${study}: 17,000 to 31,000 deletes in a trace`),
  activeUsers: stated(9.1, `${study}: in an interval of ten minutes`),
  bytesPerSecond: stated(8192, `${study}: 8.0 KB/s for an active user, over ten minutes`),
  writeShare: stated(0.11, `${study}: of the accesses; 88 % read only`),
  bothShare: stated(0.01, `${study}: of the accesses; all of these at random places`),
  wholeReadShare: stated(0.78, `${study}: of the read-only accesses`),
  wholeWriteShare: stated(0.67, `${study}: of the write-only accesses`),
  pagingShare: stated(0.35, `${study}: of what servers moved; here it is programs that are loaded`),
  unitBytes: stated(8192, 'Cheriton 1988: transfers of 8 to 16 KB are best'),
  shortShare: prior(0.8, 'most accesses are to files of a few kilobytes; no source for the cluster at hand'),
  shortBytes: prior(4096, 'the same'),
  systemShare: prior(0.3, 'of the reads: libraries, headers, fonts, which all users share'),
  accessesPerProgram: prior(4, 'no source'),
};

const { value: opensPerDay } = dayMix.opensPerDay;
const secondsPerDay = 86_400;

/** By an active user. */
const opensPerSecond: number = opensPerDay / secondsPerDay / dayMix.activeUsers.value;
export const secondsPerProgram: number = dayMix.accessesPerProgram.value / opensPerSecond;
export const deletesPerOpen: number = dayMix.deletesPerDay.value / opensPerDay;

/** What is not accessed whole is, by half. */
const wholeShare = 0.5 + dayMix.wholeReadShare.value / 2;
const { shortShare, shortBytes, bytesPerSecond, pagingShare } = dayMix;

/** Of long files: so that the bytes come out. */
export const longBytes: number = Math.round(
  (bytesPerSecond.value / opensPerSecond / wholeShare - shortShare.value * shortBytes.value) /
    (1 - shortShare.value),
);
/** Of a program: so that its part of the bytes does. */
export const programBytes: number = Math.round(
  (bytesPerSecond.value * secondsPerProgram * pagingShare.value) / (1 - pagingShare.value),
);
