/** A mouse: an open file that holds x, y and the buttons. A read waits until they have changed since the last one. */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { Busy, type Machine, type Processors } from '@backplane/slots';
import { attributeBits, type UioObject } from '@backplane/uio';

export interface MouseState {
  readonly x: number;
  readonly y: number;
  /** A bit for each. */
  readonly buttons: number;
}

const blockBytes = 12;
const attributes: number = /* @__PURE__ */ attributeBits('readable', 'stream', 'interactive');

/** The state in a block that was read: three words, big-endian. */
export function mouseIn(block: Uint8Array): MouseState {
  const view = new DataView(block.buffer, block.byteOffset, blockBytes);
  return { x: view.getInt32(0), y: view.getInt32(4), buttons: view.getUint32(8) };
}

export class Mouse {
  readonly #processors: Processors;
  readonly #machine: Machine;
  readonly changed: WaitQueue = new WaitQueue();
  state: MouseState = { x: 0, y: 0, buttons: 0 };
  /** How often it has changed. */
  changes = 0;

  constructor(machine: Machine, processors: Processors) {
    this.#machine = machine;
    this.#processors = processors;
  }

  /** From outside of the machine. */
  moved(state: MouseState): void {
    this.#processors.interrupt(this.#machine.type.costs.trapNs, Busy.interrupt, () => {
      const { x, y, buttons } = this.state;
      if (state.x === x && state.y === y && state.buttons === buttons) return;
      this.state = state;
      this.changes++;
      this.changed.wakeAll();
    });
  }
}

export class MouseObject implements UioObject {
  static {
    tasks(MouseObject);
  }

  readonly attributes: number = attributes;
  readonly blockBytes: number = blockBytes;
  readonly #mouse: Mouse;
  #seen: number;
  #open = true;

  constructor(mouse: Mouse) {
    this.#mouse = mouse;
    this.#seen = mouse.changes;
  }

  *read(): Task<Uint8Array | null> {
    const mouse = this.#mouse;
    while (this.#open && this.#seen === mouse.changes) yield* mouse.changed.wait();
    if (!this.#open) return null;
    this.#seen = mouse.changes;
    const block = new Uint8Array(blockBytes);
    const view = new DataView(block.buffer);
    view.setInt32(0, mouse.state.x);
    view.setInt32(4, mouse.state.y);
    view.setUint32(8, mouse.state.buttons);
    return block;
  }

  *release(): Task<void> {
    this.#open = false;
    this.#mouse.changed.wakeAll();
  }
}
