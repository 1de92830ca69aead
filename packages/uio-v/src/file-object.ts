/** An open file, as the file server has it behind an instance: blocks of 1 KB, several at once, over whatever storage. */
import type { Task } from '@backplane/engine';
import { fileKey } from '@backplane/file-service';
import {
  type FileId,
  KernelError,
  type Message,
  message,
  type OpenHow,
  ReplyCode,
  type Storage,
  type WriteWhen,
  wordOf,
} from '@backplane/slots';
import {
  attributeBits,
  type BlockPosition,
  blockBytes,
  offsetOf,
  syncFunction,
  UioAttribute,
  type UioObject,
} from '@backplane/uio';
import type { LockManager } from './lock-manager.ts';

export class FileObject implements UioObject {
  /** No two opens at one server have the same. */
  readonly open: number;
  readonly file: FileId;
  readonly attributes: number;
  readonly blockBytes: number = blockBytes;
  readonly lockKey: string;
  readonly #storage: Storage;
  readonly #writes: WriteWhen;
  readonly #pages: LockManager;
  readonly #closed: (o: FileObject) => Task<void>;

  /** @param closed called once, when the instance is gone */
  constructor(
    open: number,
    storage: Storage,
    file: FileId,
    how: OpenHow,
    writes: WriteWhen,
    pages: LockManager,
    closed: (o: FileObject) => Task<void>,
  ) {
    this.#storage = storage;
    this.#writes = writes;
    this.#pages = pages;
    this.#closed = closed;
    this.open = open;
    this.file = file;
    this.lockKey = fileKey(file);
    this.attributes = attributesFor(how);
  }

  *sizeBytes(): Task<number> {
    return (yield* this.#storage.attributes(this.file)).sizeBytes;
  }

  *read(at: BlockPosition, count: number): Task<Uint8Array | null> {
    this.#demand('readable');
    const from = offsetOf(at, blockBytes);
    const read = (): Task<Uint8Array> => this.#storage.read(this.file, from, count);
    const bytes = yield* this.#pages.reading(this.file, from, count, read);
    return bytes.length === 0 && count > 0 ? null : bytes;
  }

  *write(at: BlockPosition, bytes: Uint8Array): Task<void> {
    this.#demand('writeable');
    const to = offsetOf(at, blockBytes);
    const write = (): Task<void> => this.#storage.write(this.file, to, bytes, this.#writes);
    yield* this.#pages.writing(this.file, to, bytes.length, write);
  }

  *append(bytes: Uint8Array): Task<number> {
    this.#demand('writeable');
    return yield* this.#pages.writing(this.file, 'end', bytes.length, () => this.#toEnd(bytes));
  }

  *#toEnd(bytes: Uint8Array): Task<number> {
    const at = yield* this.sizeBytes();
    yield* this.#storage.write(this.file, at, bytes, this.#writes);
    return at + bytes.length;
  }

  *modify(sizeBytes: number): Task<void> {
    const cut = (): Task<void> => resize(this.#storage, this.file, sizeBytes, this.#writes);
    yield* this.#pages.resizing(this.file, sizeBytes, cut);
  }

  *control(request: Message): Task<Message> {
    if (wordOf(request, 2) !== syncFunction) throw new KernelError('unsupported', 'no such function');
    yield* this.#storage.sync(this.file);
    return message({ code: ReplyCode.ok });
  }

  *release(): Task<void> {
    yield* this.#closed(this);
  }

  #demand(name: 'readable' | 'writeable'): void {
    if ((this.attributes & UioAttribute[name]) === 0) throw new KernelError('badHandle', `not ${name}`);
  }
}

/** A file that is opened for nothing in particular, or to be executed, is read. */
function attributesFor({ read, execute, write, append }: OpenHow): number {
  const writes = write === true || append === true;
  return (
    attributeBits('storage', 'randomAccess', 'multiBlock', 'locking') |
    (read === true || execute === true || !writes ? UioAttribute.readable : 0) |
    (writes ? UioAttribute.writeable : 0) |
    (append === true ? UioAttribute.appendOnly : 0)
  );
}

/** Who has cut a file relies on that as on what it has written: it may write less than there was, and crash with neither. */
export function* resize(
  storage: Pick<Storage, 'truncate' | 'sync'>,
  file: FileId,
  sizeBytes: number,
  writes: WriteWhen,
): Task<void> {
  yield* storage.truncate(file, sizeBytes);
  if (writes === 'through') yield* storage.sync(file);
}
