/** A serial line with a person at it: what is typed is read in blocks as it came, what is written is traced. */
import type { Task } from '@backplane/engine';
import { Busy, type Machine, type Processors } from '@backplane/slots';
import { attributeBits, type BlockPosition, type UioObject } from '@backplane/uio';
import { Inbox } from './inbox.ts';

const blockBytes = 256;
const attributes: number = /* @__PURE__ */ attributeBits(
  'readable',
  'writeable',
  'stream',
  'variableBlock',
  'interactive',
);

/** The line itself. Of several readers, the first to ask gets what was typed. */
export class Line {
  readonly inbox: Inbox;
  readonly machine: Machine;
  readonly #processors: Processors;
  /** Blocks that were typed and for which there was no room. */
  lost = 0;

  constructor(machine: Machine, processors: Processors, inboxBlocks: number) {
    this.machine = machine;
    this.#processors = processors;
    this.inbox = new Inbox(inboxBlocks);
  }

  /** From outside of the machine. */
  typed(bytes: Uint8Array): void {
    // An interrupt costs what entering the kernel costs: nobody has measured more.
    this.#processors.interrupt(this.machine.type.costs.trapNs, Busy.interrupt, () => {
      for (let at = 0; at < bytes.length; at += blockBytes)
        if (!this.inbox.put(bytes.slice(at, at + blockBytes))) this.lost++;
    });
  }
}

export class ConsoleObject implements UioObject {
  readonly attributes: number = attributes;
  readonly blockBytes: number = blockBytes;
  readonly #line: Line;
  #open = true;

  constructor(line: Line) {
    this.#line = line;
  }

  *read(): Task<Uint8Array | null> {
    return yield* this.#line.inbox.take(() => this.#open);
  }

  *write(_: BlockPosition, bytes: Uint8Array): Task<void> {
    const { engine, scope } = this.#line.machine;
    if (engine.trace.on) engine.trace.emit('console.write', scope, { bytes });
  }

  *release(): Task<void> {
    this.#open = false;
    this.#line.inbox.wakeAll();
  }
}
