/** The programs of a synthetic day: a shell on each workstation, and what it starts. */
import { type RandomStream, seconds, type Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { dayMix, deletesPerOpen, longBytes, programBytes, secondsPerProgram } from './day-mix.ts';

/** What the users have done. */
export interface Work {
  programs: number;
  opens: number;
  deletes: number;
  readBytes: number;
  writtenBytes: number;
}
export const noWork = (): Work => ({ programs: 0, opens: 0, deletes: 0, readBytes: 0, writtenBytes: 0 });

const counts = { short: 20, long: 5, programs: 8 } as const;
const unitBytes = dayMix.unitBytes.value;
export const homes = '/users';
const system = '/lib';
const homeOf = (user: number): string => `${homes}/u${user}`;

/** A file of this directory. */
type Pick = (directory: string) => string;

function fileFor(random: RandomStream): Pick {
  const kind = random.chance(dayMix.shortShare.value) ? 'short' : 'long';
  const number = random.below(counts[kind]);
  return (directory) => `${directory}${kind}${number}`;
}

/** What is there in the morning. */
export function* furnish(sys: Calls, users: number, random: RandomStream): Task<void> {
  yield* sys.mkdir('/bin', 0o755);
  for (let i = 0; i < counts.programs; i++) yield* write(sys, `/bin/p${i}`, programBytes);
  yield* sys.mkdir(system, 0o755);
  yield* furnishDirectory(sys, system, random);
  // The root knows that these are another domain's.
  yield* sys.remoteLink(homes, homes);
  for (let user = 0; user < users; user++) {
    yield* sys.mkdir(homeOf(user), 0o755);
    yield* furnishDirectory(sys, homeOf(user), random);
  }
  yield* sys.syncAll();
}

function* furnishDirectory(sys: Calls, directory: string, random: RandomStream): Task<void> {
  for (const kind of ['short', 'long'] as const) {
    const meanBytes = kind === 'short' ? dayMix.shortBytes.value : longBytes;
    for (let i = 0; i < counts[kind]; i++)
      yield* write(sys, `${directory}/${kind}${i}`, 1 + Math.round(random.exponential(meanBytes)));
  }
  yield* write(sys, `${directory}/profile`, dayMix.shortBytes.value);
}

/** One user from the beginning of the day to its end. */
export function* shell(
  sys: Calls,
  user: number,
  endNs: number,
  random: RandomStream,
  work: Work,
): Task<number> {
  yield* sys.chdir(homeOf(user));
  yield* read(sys, `${system}/profile`, true, random);
  yield* read(sys, 'profile', true, random);
  for (let nextNs = yield* sys.time(); ; ) {
    nextNs += Math.round(seconds(1) * random.exponential(secondsPerProgram));
    if (nextNs >= endNs) return 0;
    const waitNs = nextNs - (yield* sys.time());
    if (waitNs > 0) yield* sys.sleep(waitNs);
    work.readBytes += yield* read(sys, `/bin/p${random.below(counts.programs)}`, true, random);
    work.programs++;
    yield* sys.wait(yield* sys.spawn('program', (child) => program(child, random, work)));
  }
}

/** In its user's home. */
function* program(sys: Calls, random: RandomStream, work: Work): Task<number> {
  const { writeShare, bothShare, accessesPerProgram } = dayMix;
  for (let i = 0; i < accessesPerProgram.value; i++) {
    const kind = random.unit();
    work.opens++;
    if (kind < bothShare.value) yield* accessBoth(sys, random, work);
    else if (kind < bothShare.value + writeShare.value) yield* accessToWrite(sys, random, work);
    else yield* accessToRead(sys, random, work);
    if (random.chance(deletesPerOpen)) yield* deleteOne(sys, random, work);
  }
  return 0;
}

function* accessToRead(sys: Calls, random: RandomStream, work: Work): Task<void> {
  const path = fileFor(random)(random.chance(dayMix.systemShare.value) ? `${system}/` : '');
  work.readBytes += yield* read(sys, path, random.chance(dayMix.wholeReadShare.value), random);
}

/** A file is made, or made anew, or something is added to one. */
function* accessToWrite(sys: Calls, random: RandomStream, work: Work): Task<void> {
  const short = random.chance(dayMix.shortShare.value);
  const bytes = 1 + Math.round(random.exponential(short ? dayMix.shortBytes.value : longBytes));
  const whole = random.chance(dayMix.wholeWriteShare.value);
  const path = `made${random.below(counts.short)}`;
  work.writtenBytes += yield* whole ? write(sys, path, bytes) : write(sys, path, bytes >>> 1, true);
}

/** A unit at a random place is read and written. */
function* accessBoth(sys: Calls, random: RandomStream, work: Work): Task<void> {
  const fd = yield* sys.open(fileFor(random)(''), { read: true, write: true });
  const { sizeBytes } = yield* sys.statOpen(fd);
  const at = random.below(sizeBytes);
  const bytes = yield* sys.readAt(fd, at, unitBytes);
  work.readBytes += bytes.length;
  work.writtenBytes += yield* sys.writeAt(fd, at, bytes);
  yield* sys.close(fd);
}

/** One of those that programs have made, if there is any. */
function* deleteOne(sys: Calls, random: RandomStream, work: Work): Task<void> {
  const made = (yield* sys.entries('.')).filter((name) => name.startsWith('made'));
  if (made.length === 0) return;
  yield* sys.unlink(random.pick(made));
  work.deletes++;
}

/** By units, from the beginning or from a random place, to the end. Returns the bytes. */
function* read(sys: Calls, path: string, whole: boolean, random: RandomStream): Task<number> {
  const fd = yield* sys.open(path, { read: true });
  if (!whole) yield* sys.seek(fd, random.below((yield* sys.statOpen(fd)).sizeBytes), 'start');
  let total = 0;
  for (let got = unitBytes; got === unitBytes; total += got) got = (yield* sys.read(fd, unitBytes)).length;
  yield* sys.close(fd);
  return total;
}

function* write(sys: Calls, path: string, bytes: number, append = false): Task<number> {
  const how = { write: true, create: true, mode: 0o644, ...(append ? { append } : { truncate: true }) };
  const fd = yield* sys.open(path, how);
  for (let left = bytes; left > 0; left -= unitBytes)
    yield* sys.write(fd, new Uint8Array(Math.min(left, unitBytes)).fill(0x56));
  yield* sys.close(fd);
  return bytes;
}
