/**
 * One stream: an entry of the open-file table. It holds the offset for everybody on this host who shares it by fork or dup.
 *
 * Reads and writes of a seekable object take the lock, so that of two sharers each gets bytes of its own. Objects
 * without offsets (pipes) are not locked: a reader that waits must not keep out a writer.
 *
 *   state    event                                         action                              next
 *   own      the I/O server asks: others use it too        wait for the lock; say the offset   shared
 *   shared   an operation's answer                         keep the offset, if it is newer     shared
 *   shared   the same, with "alone", and the server has    take the offset                     own
 *            not asked since the operation began
 *   shared   the I/O server asks                           say the newest known offset         shared
 */
import { Mutex } from '@backplane/engine';
import type { HostId, OpenObject, Position, Stream, StreamId, StreamPlace, Turn } from '@backplane/slots';

export class OpenStream implements Stream {
  readonly id: StreamId;
  readonly object: OpenObject;
  readonly lock: Mutex = new Mutex();
  /** Valid unless `shared`; then the newest that is known here. */
  offset = 0;
  /** Another host uses it too: the host that does the I/O holds the offset. */
  shared = false;
  /** Descriptors that lead here, and references on their way. */
  references = 1;
  /** Since it has moved: the host that does the I/O. */
  server: HostId | null = null;
  /** This host stands in the server's shadow, shared or not. */
  shadowed = false;
  /** Number of the operation after which the offset was this. */
  turn = 0;
  /** Hosts that may use it, as far as is known here. */
  sharers: readonly HostId[] = [];
  /** How often the server has asked: what it said of being alone before that is out of date. */
  asked = 0;

  constructor(id: StreamId, object: OpenObject) {
    this.id = id;
    this.object = object;
  }

  get position(): Position {
    return this.shared ? { shared: this.id } : this.offset;
  }

  /** It has come here. */
  place(p: StreamPlace): void {
    this.offset = p.offset;
    this.server = p.server;
    if (p.shared === null) return;
    this.turn = p.shared.turn;
    this.share(p.shared.sharers);
  }

  share(sharers: readonly HostId[]): void {
    this.shared = true;
    this.shadowed = true;
    this.sharers = sharers;
  }

  /**
   * An operation has ended.
   *
   * @param asked how often the server had asked when it began
   */
  went(next: number, turn: Turn | undefined, asked: number): void {
    if (turn === undefined) {
      if (!this.shared) this.offset = next;
      return;
    }
    if (turn.turn >= this.turn) {
      this.turn = turn.turn;
      this.offset = turn.next;
    }
    if (turn.alone && asked === this.asked) this.shared = false;
  }
}
