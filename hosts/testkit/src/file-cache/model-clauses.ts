/** The same operations on hosts that cache and on hosts that do not: every answer must be the same. */
import { Engine, type RandomStream, type Task } from '@backplane/engine';
import { isKernelError, type OpenHow, type Plain, type Stream } from '@backplane/slots';
import { digest, filled } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { uncached } from '../neighbours.ts';
import type { Bounds } from './under-test.ts';
import { type Files, type HostName, World } from './world.ts';

const hosts: readonly HostName[] = ['one', 'two', 'server'];
const paths = ['/a', '/b', '/d', '/d/a', '/d/b', '/e'];

/** An operation of one host; `stream` counts streams in the order of their opens, over all hosts. */
type Step = { readonly host: HostName } & (
  | { readonly does: 'open'; readonly path: string; readonly how: OpenHow }
  | {
      readonly does: 'read' | 'truncate';
      readonly stream: number;
      readonly at: number;
      readonly count: number;
    }
  | { readonly does: 'write'; readonly stream: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly does: 'size' | 'close'; readonly stream: number }
  | { readonly does: 'stat' | 'unlink' | 'mkdir' | 'rmdir' | 'list'; readonly path: string }
  | { readonly does: 'rename' | 'link'; readonly path: string; readonly to: string }
);

/** Draws steps. `together`: how many streams are open at a time. */
function drawn(random: RandomStream, count: number, together: number): readonly Step[] {
  const steps: Step[] = [];
  const open: { readonly stream: number; readonly host: HostName }[] = [];
  let opened = 0;
  while (steps.length < count) {
    const host = random.pick(hosts);
    // Most of it on two files, so that hosts meet.
    const path = random.chance(0.6) ? random.pick(['/a', '/b']) : random.pick(paths);
    const some = open.length > 0 && random.chance(0.75) ? random.pick(open) : undefined;
    if (some !== undefined) {
      const [at, n] = [random.below(6) * 2000, 1 + random.below(6000)];
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2:
          steps.push({ ...some, does: 'read', at, count: n });
          break;
        case 3:
        case 4:
          steps.push({ ...some, does: 'write', at, bytes: filled(n, 1 + random.below(250)) });
          break;
        case 5:
        case 6:
          steps.push(
            random.chance(0.3) ? { ...some, does: 'truncate', at, count: 0 } : { ...some, does: 'size' },
          );
          break;
        default:
          steps.push({ ...some, does: 'close' });
          open.splice(open.indexOf(some), 1);
      }
    } else if (open.length < together && random.chance(0.8)) {
      const write = random.chance(0.7);
      const how = {
        read: true,
        write,
        create: write && random.chance(0.9),
        truncate: write && random.chance(0.1),
      };
      steps.push({ host, does: 'open', path, how });
      open.push({ host, stream: opened++ });
    } else if (together > 1 || open.length === 0) {
      const [to, does] = [random.pick(paths), random.below(7)];
      if (does < 5)
        steps.push({
          host,
          path,
          does: (['stat', 'unlink', 'mkdir', 'rmdir', 'list'] as const)[does] ?? 'stat',
        });
      else steps.push({ host, path, to, does: does === 5 ? 'rename' : 'link' });
    }
  }
  return steps;
}

function* perform(files: Files, step: Step, streams: (Stream | null)[]): Task<Plain> {
  if ('stream' in step) {
    const s = streams[step.stream];
    if (s === null || s === undefined) return 'was not opened';
    switch (step.does) {
      case 'read':
        return digest(yield* files.streams.readAt(s, step.at, step.count));
      case 'write':
        return yield* files.streams.writeAt(s, step.at, step.bytes);
      case 'truncate':
        yield* s.object.truncate(step.at);
        return null;
      case 'size':
        return (yield* s.object.attributes()).sizeBytes;
      default:
        yield* files.streams.close(s);
        return null;
    }
  }
  switch (step.does) {
    case 'open': {
      streams.push(null);
      const at = streams.length - 1;
      streams[at] = yield* files.open(step.path, step.how);
      return null;
    }
    case 'stat': {
      const { type, sizeBytes, links, mode } = yield* files.stat(step.path, false);
      return [type, type === 'directory' ? 0 : sizeBytes, links, mode];
    }
    case 'list':
      return (yield* files.name(step.path, 'entries', { after: '' })).names;
    case 'mkdir':
      return yield* files.name(step.path, 'makeDirectory', { mode: 0o755 });
    case 'rmdir':
      return yield* files.name(step.path, 'removeDirectory', {});
    case 'unlink':
      return yield* files.name(step.path, 'unlink', {});
    default:
      yield* files.two(step.does, step.path, step.to);
      return null;
  }
}

/** What each step answers. */
function answers(world: World, steps: readonly Step[], settle: boolean): readonly Plain[] {
  const streams: (Stream | null)[] = [];
  return world.drive(function* () {
    const all: Plain[] = [];
    for (const step of steps) {
      // An open asks; what is only looked at may be old.
      if (settle && !('stream' in step)) yield* world.settled();
      all.push(
        yield* world.at(step.host, function* (files): Task<Plain> {
          try {
            return yield* perform(files, step, streams);
          } catch (e) {
            if (!isKernelError(e)) throw e;
            return { error: e.kind };
          }
        }),
      );
    }
    return all;
  });
}

const shown = (step: Step): string =>
  JSON.stringify({ ...step, ...('bytes' in step && { bytes: digest(step.bytes) }) });

function compare(bounds: Bounds, seed: number, together: number): void {
  const steps = drawn(new Engine({ seed }).random('operations of a check'), 200, together);
  const model = answers(new World({ boards: { fileCache: uncached() }, staleSeconds: 0 }), steps, false);
  const found = answers(new World(bounds, { seed }), steps, bounds.consistency === 'close-to-open');
  for (const [i, step] of steps.entries())
    same(`step ${i}, ${shown(step)}`, found[i] ?? null, model[i] ?? null);
}

export const modelClauses = (bounds: Bounds): readonly Check[] => [
  bounds.consistency === 'sequential'
    ? {
        name: 'sequential: random operations of all hosts on open files answer as they do without any cache',
        run: () => eachCourse(bounds.courses, (seed) => compare(bounds, seed, 5)),
      }
    : {
        name: 'close-to-open: random operations on one open file after the other answer as they do without any cache',
        run: () => eachCourse(bounds.courses, (seed) => compare(bounds, seed, 1)),
      },
];
