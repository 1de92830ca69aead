/**
 * The library memfs, which programs on Node use where files need no disk, on the work of `creates`: through its own calls, and
 * only where it is installed.
 */
import { type Line, timed } from './line.ts';

type Memfs = typeof import('memfs');

/** @param size files that are measured, and those made before so that the code is compiled */
export async function createsByMemfs(size: {
  readonly files: number;
  readonly warmup: number;
}): Promise<Line | null> {
  const memfs = await installed();
  if (memfs === null) return null;
  const fs = memfs.createFsFromVolume(new memfs.Volume());
  const bytes = new Uint8Array(1024).fill(7);
  let made = 0;
  const make = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const file = fs.openSync(`/d/file ${made++}`, 'wx', 0o644);
      fs.writeSync(file, bytes, 0, bytes.length, 0);
      fs.closeSync(file);
    }
  };
  fs.mkdirSync('/d');
  make(size.warmup);
  return timed('creates memfs', () => {
    make(size.files);
    return { units: size.files, check: `${fs.readdirSync('/d').length} files` };
  });
}

async function installed(): Promise<Memfs | null> {
  try {
    return await import('memfs');
  } catch (e) {
    if ((e as { readonly code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw e;
  }
}
