/**
 * Priorities of V: a number, of which the smaller goes first. A team has a level, and its processes are graded within it:
 * `priorityOf(level, grade)`.
 *
 *   level      who
 *   realTime   whoever controls something; nothing outside the kernel changes these
 *   scheduler  the process that slices time among the levels below it
 *   foreground the user's interactive programs
 *   background his others
 *   guest      programs of users of other machines
 *   stop       suspended: never runs
 *
 * The levels are those of "The V Distributed System" (Cheriton 1988); that there are four real-time levels is from memory
 * of the V 6.0 manual, the numbers are our own.
 */
export const levels = {
  realTime: 0,
  realTime1: 1,
  realTime2: 2,
  realTime3: 3,
  scheduler: 4,
  foreground: 5,
  background: 6,
  guest: 7,
  stop: 8,
} as const;
export type LevelName = keyof typeof levels;

/** Processes of one team, from the most urgent. */
export const gradesMax = 256;

/** @param grade 0 to 255 */
export const priorityOf = (level: LevelName, grade = 128): number => levels[level] * gradesMax + grade;
