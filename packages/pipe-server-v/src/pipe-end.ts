/** One use of a pipe, from one side: what is behind an instance. */
import type { Task } from '@backplane/engine';
import { KernelError, type Message, message, ReplyCode, wordOf } from '@backplane/slots';
import { attributeBits, type BlockPosition, pollFunction, type UioObject } from '@backplane/uio';
import type { Pipe, Side } from './pipe.ts';

const sequence: number = /* @__PURE__ */ attributeBits('stream', 'variableBlock');

export class PipeEnd implements UioObject {
  readonly attributes: number;
  readonly blockBytes: number;
  readonly pipe: Pipe;
  readonly read?: () => Task<Uint8Array | null>;
  readonly write?: (at: BlockPosition, bytes: Uint8Array) => Task<void>;
  readonly #side: Side;
  readonly #released: () => Task<void>;
  #open = true;

  /** @param released called once, when the end is gone */
  constructor(pipe: Pipe, side: Side, blockBytes: number, released: () => Task<void> = nobodyAsks) {
    this.pipe = pipe;
    this.blockBytes = blockBytes;
    this.#side = side;
    this.#released = released;
    this.attributes = sequence | attributeBits(side === 'read' ? 'readable' : 'writeable');
    const isOpen = (): boolean => this.#open;
    if (side === 'read') this.read = () => pipe.take(isOpen);
    else this.write = (_, bytes) => pipe.put(bytes, isOpen);
    pipe.enter(side);
  }

  *control(request: Message): Task<Message> {
    if (wordOf(request, 2) !== pollFunction)
      throw new KernelError('unsupported', 'no such function of a pipe');
    const ready = this.pipe.isReady(this.#side);
    return message({ code: ReplyCode.ok, words: [ready ? (this.#side === 'read' ? 1 : 2) : 0] });
  }

  *release(): Task<void> {
    this.#open = false;
    this.pipe.leave(this.#side);
    yield* this.#released();
  }
}

function* nobodyAsks(): Task<void> {}
