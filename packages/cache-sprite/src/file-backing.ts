/**
 * What lies below a file's cached blocks: its server.
 *
 * A write-back sends no more than the file has at that moment, or a late block would make a truncated file grow. While the
 * server is in doubt nothing is sent. Errors: `noAnswer` for everything that has to do with the server's life, so that
 * somebody else who wants the block's place does not take it for his own server's silence; others as the server says.
 */
import { type Task, tasks } from '@backplane/engine';
import { type Backing, isKernelError, KernelError } from '@backplane/slots';
import type { ClientFile } from './client-file.ts';
import { readFile, writeFile } from './io-procedures.ts';

export class FileBacking implements Backing {
  static {
    tasks(FileBacking);
  }

  readonly #file: ClientFile;

  constructor(file: ClientFile) {
    this.#file = file;
  }

  *fetch(block: number): Task<Uint8Array> {
    const { server, id, parts } = this.#file;
    const { blockBytes } = parts.blockCache;
    const { data } = yield* parts.calls.call(server, readFile, {
      file: id,
      at: block * blockBytes,
      count: blockBytes,
    });
    parts.counters.bytesFetched += data.length;
    return data;
  }

  *writeBack(block: number, bytes: Uint8Array, o: { readonly lastDirty: boolean }): Task<void> {
    const file = this.#file;
    yield* file.gate.share();
    try {
      yield* this.#store(block, bytes, o.lastDirty);
    } finally {
      file.gate.giveBack();
    }
  }

  *#store(block: number, bytes: Uint8Array, lastDirty: boolean): Task<void> {
    const file = this.#file;
    const { parts, server } = file;
    const at = block * parts.blockCache.blockBytes;
    const count = Math.min(bytes.length, file.sizeBytes - at);
    const { aside } = file;
    if (file.lost || count <= 0) return;
    if (parts.servers.isInDoubt(server)) throw new KernelError('noAnswer', `host ${server}`);
    const toDisk = aside?.promised === true;
    const record = {
      file: file.id,
      at,
      writeBack: { stamp: file.stamp, lastDirty, toDisk, modifyNs: file.modifyNs },
    };
    const data = bytes.subarray(0, count);
    try {
      const { removed } = yield* parts.calls.call(server, writeFile, { record, data });
      if (removed) file.discard();
      else parts.counters.bytesWrittenBack += count;
      if (aside?.writtenBack(block, lastDirty, toDisk) === true) parts.counters.survivorsRestored++;
      if (lastDirty) file.settled(0);
    } catch (e) {
      if (!isKernelError(e, 'peerDown') && !isKernelError(e, 'stale')) throw e;
      parts.servers.doubt(server);
      throw new KernelError('noAnswer', e.message);
    }
  }
}
