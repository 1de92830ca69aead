/**
 * One stream: an entry of the open-file table. It holds the offset for everybody who shares it by fork or dup.
 *
 * Reads and writes of a seekable object take the lock, so that of two sharers each gets bytes of its own. Objects
 * without offsets (pipes) are not locked: a reader that waits must not keep out a writer.
 */
import { Mutex } from '@backplane/engine';
import type { OpenObject, Stream, StreamId } from '@backplane/slots';

export class OpenStream implements Stream {
  readonly id: StreamId;
  readonly object: OpenObject;
  readonly lock: Mutex = new Mutex();
  offset = 0;
  /** Another host uses it too: the host that does the I/O holds the offset. */
  shared = false;
  /** Descriptors that lead here. */
  references = 1;

  constructor(id: StreamId, object: OpenObject) {
    this.id = id;
    this.object = object;
  }
}
