/**
 * The kernel's memory server, as programs see it: a manager of open files like others, by uniform I/O, that answers from the
 * page frames of this host. What only the file's own server knows (attributes, locks, where the end is by now) it asks there.
 */
import type { Task } from '@backplane/engine';
import { type EntityId, type Ipc, KernelError, type Machine, type Message } from '@backplane/slots';
import {
  type BlockPosition,
  blockBytes,
  has,
  lockFile,
  lockInstance,
  modifyObject,
  offsetOf,
  queryObject,
  ServedObjects,
  type UioObject,
} from '@backplane/uio';
import type { ObjectHandle } from './object-handle.ts';

export class MemoryServer {
  readonly #served: ServedObjects<CachedFile>;

  constructor(ipc: Ipc, machine: Machine, probeNs: number) {
    this.#served = new ServedObjects(ipc, machine, {
      name: 'memory server',
      model: 'procedures',
      concurrent: Number.POSITIVE_INFINITY,
      probeNs,
    });
    for (const code of [queryObject.id, modifyObject.id, lockFile.id, lockInstance])
      this.#served.onInstance(code, ({ object }, m) =>
        object.handle.pass((instance) => renumbered(m, instance)),
      );
  }

  get id(): EntityId {
    return this.#served.process.id;
  }

  get count(): number {
    return this.#served.instances.count;
  }

  add(handle: ObjectHandle, o: { readonly owner: EntityId; readonly attributes: number }): number {
    return this.#served.add(new CachedFile(handle, o.attributes), o.owner).number;
  }
}

class CachedFile implements UioObject {
  readonly handle: ObjectHandle;
  readonly attributes: number;
  readonly blockBytes: number = blockBytes;

  constructor(handle: ObjectHandle, attributes: number) {
    this.handle = handle;
    this.attributes = attributes;
  }

  *sizeBytes(): Task<number> {
    yield* this.handle.object.link.current(this.handle.opening);
    return this.handle.sizeBytes;
  }

  /** Copied once, by the reply. */
  *read(at: BlockPosition, count: number): Task<Uint8Array | null> {
    if (!has(this.attributes, 'readable')) throw new KernelError('badHandle', 'not readable');
    const bytes = yield* this.handle.read(offsetOf(at, blockBytes), count);
    return bytes.length === 0 && count > 0 ? null : bytes;
  }

  *write(at: BlockPosition, bytes: Uint8Array): Task<void> {
    yield* this.handle.write(offsetOf(at, blockBytes), bytes);
  }

  append(bytes: Uint8Array): Task<number> {
    return this.handle.append(bytes);
  }

  modify(sizeBytes: number): Task<void> {
    return this.handle.truncate(sizeBytes);
  }

  /** What its own server would do, when that has all of it. */
  *control(m: Message): Task<Message> {
    if (has(this.attributes, 'writeable')) yield* this.handle.flush();
    return yield* this.handle.pass((instance) => renumbered(m, instance));
  }

  release(): Task<void> {
    return this.handle.release();
  }
}

/** The same message about an instance of another server. */
function renumbered(m: Message, instance: number): Message {
  const control = m.control.slice();
  new DataView(control.buffer).setUint32(4, instance);
  return { control, segment: m.segment };
}
