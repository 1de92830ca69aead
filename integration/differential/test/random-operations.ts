/**
 * Random operation files: sequential, over a small tree, so that names meet often. No name climbs above the root, which on
 * the host is an ordinary directory.
 */
import { Engine, type RandomStream } from '@backplane/engine';

const names = ['a', 'b', 'c', 'd'];
const handles = ['h', 'i'];

function path(random: RandomStream): string {
  const depth = 1 + random.below(3);
  const parts = Array.from({ length: depth }, () => random.pick(names));
  if (random.chance(0.05)) parts.splice(1 + random.below(depth), 0, random.chance(0.5) ? '.' : '..');
  if (parts.at(-1) === '.' || parts.at(-1) === '..') parts.push(random.pick(names));
  return `/${parts.join('/')}`;
}

const mode = (random: RandomStream): string => random.pick(['644', '600', '755', '777', '0', '4711']);

function operation(random: RandomStream): string {
  const p = path(random);
  // Reads ask for one byte more: the host's library answers a read of nothing without asking its kernel.
  const length = random.pick([0, 1, 10, 1000, 4096, 5000, 9000]);
  const offset = random.pick([0, 1, 100, 4095, 4096, 8192, 20_000]);
  const byte = random.pick(['x', 'y', 'z']);
  const h = random.pick(handles);
  switch (random.below(30)) {
    case 0:
    case 1:
    case 2:
      return `mkdir ${p} ${mode(random)}`;
    case 3:
    case 4:
    case 5:
      return `creat ${p} ${mode(random)}`;
    case 6:
    case 7:
      return `write ${p} ${offset} ${length} ${byte}`;
    case 8:
      return `append ${p} ${length} ${byte}`;
    case 9:
    case 10:
      return `read ${p} ${offset} ${length + 1}`;
    case 11:
      return `trunc ${p} ${offset}`;
    case 12:
      return `link ${p} ${path(random)}`;
    case 13:
      return `symlink ${random.chance(0.3) ? path(random) : random.pick(['a', 'b/c', 'c/../d', './d'])} ${p}`;
    case 14:
      return `readlink ${p}`;
    case 15:
    case 16:
      return `rename ${p} ${path(random)}`;
    case 17:
      return `unlink ${p}`;
    case 18:
      return `rmdir ${p}`;
    case 19:
      return `stat ${p}`;
    case 20:
      return `lstat ${p}`;
    case 21:
      return `readdir ${random.chance(0.2) ? '/' : p}`;
    case 22:
      return `chmod ${p} ${mode(random)}`;
    case 23:
      return random.chance(0.5) ? `utimes ${p} 100 200` : `access ${p} ${random.pick(['r', 'w', 'x', 'rw'])}`;
    case 24:
      // The host's pwrite appends where the handle does; so what appends has a name of its own, which pwrite never gets.
      if (random.chance(0.2)) return `open j ${p} write,append`;
      return `open ${h} ${p} ${random.pick(['read', 'write', 'read,write', 'read,write,create', 'write,create,truncate', 'write,create,exclusive'])}`;
    case 25:
      return `pread ${h} ${offset} ${length + 1}`;
    case 26:
      return `pwrite ${h} ${offset} ${length} ${byte}`;
    case 27:
      if (random.chance(0.2)) return random.chance(0.8) ? `hwrite j ${length} ${byte}` : 'close j';
      return random.chance(0.5) ? `hread ${h} ${length + 1}` : `hwrite ${h} ${length} ${byte}`;
    case 28:
      return random.chance(0.5) ? `htrunc ${h} ${offset}` : `hstat ${h}`;
    default:
      return random.chance(0.6)
        ? `close ${h}`
        : `seek ${h} ${random.pick(['0 set', '10 cur', '0 end', '100 set'])}`;
  }
}

/** @returns the text of an operation file */
export function randomOperations(seed: number, count: number): string {
  const random = new Engine({ seed }).random('operations');
  return Array.from({ length: count }, () => operation(random)).join('\n');
}
