/**
 * Numbers for entities by blocks (RFC 1045, appendix IV.4): 256 at a time, that have nothing to do with the host's address.
 *
 *   state     event                               action                                         next
 *   seeking   begin                               draw a block, ask all managers, set the window probing
 *   probing   an objection                        none                                           seeking
 *   probing   window over, asked thrice           the block is this host's                       held
 *   probing   window over                         ask again                                      probing
 *   held      all but a quarter has been minted   look for the next one, for when this is used   seeking
 *
 *   who objects to a block        a host that holds it, or is asking for it
 *                                 a host of which an entity has a number of it
 *                                 a host that has heard of such an entity, as long as it remembers
 *
 * The question comes from the default client with transaction 0, since who asks has no number yet. It wants a network that is
 * not partitioned: who does not hear it cannot object. The drawing has a stream of its own in each life, so that a host does
 * not ask for what it held in the life before.
 *
 * The low half of such a number is no address of a host (240.0.0.0 and above), so that it leads nobody astray: whoever wants to
 * send to one that was never heard asks all managers.
 */
import { ms, type Task, tasks, WaitQueue } from '@backplane/engine';
import { type EntityId, type Machine, normalPriority } from '@backplane/slots';
import type { Carrier } from './carrier.ts';
import { probeEntityBlock } from './management.ts';
import {
  addressOf,
  discriminatorMax,
  discriminatorOf,
  entityNumber,
  vmtpDefaultClient,
  vmtpManagerGroup,
} from './numbers.ts';
import type { Output } from './output.ts';

const blockNumbers = 256;
const probesMax = 3;
/** Managers answer at interrupt level: on a busy network that is time enough. */
const windowNs: number = /* @__PURE__ */ ms(100);
const reserve: number = blockNumbers / 4;

/** 240.0.0.0: addresses that no host has. */
const noHostsNetwork = 0xf000_0000;
const blocksOfNetwork = 0x10_0000;

export interface EntityBlocksParts {
  readonly machine: Machine;
  readonly carrier: Carrier;
  readonly output: Output;
}

/** The first number of the block that it belongs to. */
export const blockOf = (e: EntityId): EntityId =>
  entityNumber(0, discriminatorOf(e), (addressOf(e) & ~(blockNumbers - 1)) >>> 0);

export class EntityBlocks {
  static {
    tasks(EntityBlocks);
  }

  readonly #parts: EntityBlocksParts;
  /** All that were won in this life. */
  readonly #held: EntityId[] = [];
  /** Those of which no number is minted yet. */
  readonly #unused: EntityId[] = [];
  /** The one that is being minted from, and how many numbers of it are gone. */
  #block: EntityId | undefined = undefined;
  #minted: number = blockNumbers;
  #probing: EntityId | null = null;
  #seeking = false;
  readonly #objected: WaitQueue = new WaitQueue();

  constructor(parts: EntityBlocksParts) {
    this.#parts = parts;
  }

  /** A number; undefined while there is no block with any left. */
  mint(): EntityId | undefined {
    if (this.#minted === blockNumbers && this.#unused.length > 0) {
      this.#block = this.#unused.shift();
      this.#minted = 0;
    }
    if (this.#minted >= blockNumbers - reserve && this.#unused.length === 0 && !this.#seeking)
      this.#parts.machine.scope.spawn('vmtp entity block', this.win());
    const block = this.#block;
    if (block === undefined || this.#minted === blockNumbers) return undefined;
    return entityNumber(0, discriminatorOf(block), addressOf(block) + this.#minted++);
  }

  /** Returns when a block has been won. */
  *win(): Task<void> {
    this.#seeking = true;
    const { machine } = this.#parts;
    const random = machine.random(`entity blocks of life ${machine.bootId}`);
    for (;;) {
      const low = noHostsNetwork + random.below(blocksOfNetwork) * blockNumbers;
      const block = entityNumber(0, random.below(discriminatorMax + 1), low);
      if (this.holds(block) || !(yield* this.#isFree(block))) continue;
      this.#held.push(block);
      this.#unused.push(block);
      this.#seeking = false;
      return;
    }
  }

  *#isFree(block: EntityId): Task<boolean> {
    this.#probing = block;
    try {
      for (let i = 0; i < probesMax; i++) {
        this.#ask(block);
        yield* this.#objected.wait(windowNs);
        if (this.#probing === null) return false;
      }
      return true;
    } finally {
      this.#probing = null;
    }
  }

  #ask(block: EntityId): void {
    const { carrier, output } = this.#parts;
    output.sendBare(
      {
        client: vmtpDefaultClient.bigEndian,
        server: vmtpManagerGroup,
        response: false,
        transaction: 0,
        forwardCount: 0,
        priority: normalPriority,
        flags: 0,
        gap: 0,
        multicast: true,
      },
      probeEntityBlock.request.encode({ entity: block }),
      carrier.groupPlace(vmtpManagerGroup),
    );
  }

  /** Does this host hold it, or ask for it? */
  holds(block: EntityId): boolean {
    return this.#probing === block || this.#held.includes(block);
  }

  /** Somebody objects. */
  objection(block: EntityId): void {
    if (block !== this.#probing) return;
    this.#probing = null;
    this.#objected.wakeAll();
  }
}
