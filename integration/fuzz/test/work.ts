/** What the clients do meanwhile: files are made, given their names, read back, also by others, locked, cut and removed. */
import { ms, type RandomStream, type Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { checkedName } from './forge.ts';

/** A file has other bytes than anybody wrote to it. */
export class OtherContent extends Error {}

/** The content of one version of a file: it says which, and how long it is. */
function content(key: number): Uint8Array {
  const bytes = new Uint8Array(8 + ((key * 7919) % 20_000));
  for (let i = 0; i < bytes.length; i++) bytes[i] = (key * 31 + i * 7 + (i >>> 8) * 13) & 0xff;
  new DataView(bytes.buffer).setUint32(0, key);
  return bytes;
}

/** @throws OtherContent unless these bytes are some version of a file, whole */
function demandWhole(name: string, bytes: Uint8Array): void {
  const key = bytes.length < 8 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const expected = key < 0 || key > 1_000_000 ? new Uint8Array(0) : content(key);
  if (Buffer.compare(bytes, expected) !== 0 || key < 0)
    throw new OtherContent(`${name} is not as anybody wrote it: ${bytes.length} bytes of version ${key}`);
}

function* get(sys: Calls, name: string): Task<Uint8Array> {
  const fd = yield* sys.open(name, { read: true });
  try {
    return yield* sys.read(fd, 100_000);
  } finally {
    yield* sys.close(fd);
  }
}

const names = [0, 1, 2, 3].map((n) => `/${checkedName}${n}`);

/** One round of work. @throws KernelError of a system call, OtherContent */
export function* round(sys: Calls, me: number, n: number, random: RandomStream): Task<void> {
  const made = `/${checkedName}new-${me}`;
  const version = content(1 + me * 1000 + (n % 1000));
  const fd = yield* sys.open(made, { read: true, write: true, create: true, truncate: true });
  try {
    yield* sys.lock(fd, 'exclusive', { wait: true });
    yield* sys.write(fd, version);
    if (random.below(2) === 0) yield* sys.sync(fd);
    yield* sys.lock(fd, 'none', { wait: false });
  } finally {
    yield* sys.close(fd);
  }
  if (Buffer.compare(yield* get(sys, made), version) !== 0) throw new OtherContent(`${made} has changed`);
  yield* sys.rename(made, random.pick(names));
  const listed = yield* sys.entries('/');
  const name = random.pick(names);
  if (listed.includes(name.slice(1))) {
    demandWhole(name, yield* get(sys, name));
    yield* sys.stat(name);
  }
  yield* sys.sleep(random.below(ms(120)));
}
