/**
 * Messages within the limits of a call, and put together again. What does not fit beside the control bytes is kept by the
 * sender under a number, and fetched by the receiver before it does anything else: so a question to everybody brings a long
 * segment only to hosts that have a member of the group, and each fetch is a call of its own, at most once.
 *
 * Who fetches holds a thread of his transport and needs one of the sender's. Two hosts that fetch from each other could take
 * all threads of both, so that nobody is left to answer; hence only eight fetch at a time, and others are told `busy`.
 */
import { type Task, tasks } from '@backplane/engine';
import { type HostId, KernelError, type Message, type Transport } from '@backplane/slots';
import { type Cut, segmentPart } from './procedures.ts';

const fetchesMax = 8;

export class Segments {
  static {
    tasks(Segments);
  }

  readonly #transport: Transport;
  readonly #kept = new Map<number, Uint8Array>();
  #rests = 0;
  #fetches = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.serve(segmentPart, ({ rest, from }) => this.#part(rest, from));
  }

  fits({ segment }: Message): boolean {
    return segment.length <= this.#transport.maxDataBytes;
  }

  /** For one or several calls; `release` when the last has returned. */
  cut(message: Message): Cut {
    const { control, segment } = message;
    if (this.fits(message)) return { control, segmentBytes: segment.length, rest: 0, first: segment };
    const rest = ++this.#rests;
    this.#kept.set(rest, segment);
    const first = segment.subarray(0, this.#transport.maxDataBytes);
    return { control, segmentBytes: segment.length, rest, first };
  }

  release({ rest }: Cut): void {
    if (rest !== 0) this.#kept.delete(rest);
  }

  /** @throws KernelError `busy`; `peerDown`; `stale` when the sender has released it */
  *whole(sender: HostId, { control, segmentBytes, rest, first }: Cut): Task<Message> {
    if (rest === 0) return { control, segment: first };
    if (this.#fetches >= fetchesMax) throw new KernelError('busy', 'segments');
    this.#fetches++;
    try {
      return { control, segment: yield* this.#fetched(sender, segmentBytes, rest, first) };
    } finally {
      this.#fetches--;
    }
  }

  *#fetched(sender: HostId, segmentBytes: number, rest: number, first: Uint8Array): Task<Uint8Array> {
    const segment = new Uint8Array(segmentBytes);
    segment.set(first);
    for (let at = first.length; at < segmentBytes; ) {
      const part = yield* this.#transport.call(sender, segmentPart, { rest, from: at });
      if (part.length === 0 || at + part.length > segmentBytes) throw new KernelError('stale', 'segment');
      segment.set(part, at);
      at += part.length;
    }
    return segment;
  }

  *#part(rest: number, from: number): Task<Uint8Array> {
    const segment = this.#kept.get(rest);
    if (segment === undefined) throw new KernelError('stale', 'segment');
    return segment.subarray(from, from + this.#transport.maxDataBytes);
  }
}
