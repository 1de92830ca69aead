/** The board for slot `nvram`: non-volatile memory for blocks, beside the machine's main memory. */
import { type Component, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { BlockMemory } from './block-memory.ts';
import { noBlock } from './errors.ts';
import { version } from './version.ts';

const options = z.strictObject({
  bytes: z
    .int()
    .min(1024)
    .default(1024 * 1024)
    .describe('how much the memory holds'),
  blockBytes: z
    .int()
    .min(512)
    .max(65_536)
    .default(4096)
    .describe('the room that each block takes, which is the largest that can be kept'),
});
export interface NvramBlocksOptions {
  readonly bytes?: number;
  readonly blockBytes?: number;
}

export const nvramBlocks: Component<'nvram', NvramBlocksOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-nvram',
  version,
  slot: 'nvram',
  contract: 1,
  requires: [],
  options,
  create: (_granted, { bytes, blockBytes }, machine) => {
    const blocksMax = Math.floor(bytes / blockBytes);
    if (blocksMax < 1) throw noBlock(machine.name, bytes, blockBytes);
    const memory = new BlockMemory(machine, blocksMax, blockBytes);
    const name = `nvram.${machine.role}`;
    machine.metrics.register(`${name}.blocks`, () => memory.blocks);
    machine.metrics.register(`${name}.bytes`, () => memory.bytes);
    machine.metrics.register(`${name}.bytesCopied`, () => memory.bytesCopied);
    machine.metrics.register(`${name}.refusals`, () => memory.refusals);
    return memory;
  },
});
