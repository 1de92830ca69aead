/** What a server puts behind an instance: one open object, whatever it is. What it cannot do it does not have. */
import type { Task } from '@backplane/engine';
import type { EntityId, Message } from '@backplane/slots';
import type { BlockPosition, ReleaseMode } from './operations.ts';

/**
 * Operations throw `KernelError`s, which become the answer. Those of a sequence of blocks come one at a time for each
 * direction; those of an object with `randomAccess` come as they are asked.
 */
export interface UioObject {
  /** Bits of `UioAttribute`; they do not change while it is open. */
  readonly attributes: number;
  readonly blockBytes: number;
  /** Storage: where it ends. */
  sizeBytes?(): Task<number>;
  /**
   * Up to `count` bytes from there; null at the end. Without `randomAccess`: the next block, whole; it is not asked for
   * twice. May wait.
   */
  read?(at: BlockPosition, count: number): Task<Uint8Array | null>;
  /** Without `randomAccess`: the next block. May wait. */
  write?(at: BlockPosition, bytes: Uint8Array): Task<void>;
  /** At the end, wherever that is. Returns where it ends now. Only storage has it. */
  append?(bytes: Uint8Array): Task<number>;
  /** It ends there from now on. */
  modify?(sizeBytes: number): Task<void>;
  /** What fits nothing else: word 2 is the function. */
  control?(request: Message, from: EntityId): Task<Message>;
  /** Opens of one object agree in this: locks of blocks meet there. Announces `locking`. */
  readonly lockKey?: string;
  /** The instance is gone; `abort` also when its owner was found dead. Whoever waits in it returns. */
  release(mode: ReleaseMode): Task<void>;
}
