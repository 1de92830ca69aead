/** The board for slot `vm`: options, and how the parts are put together. */
import { ms, seconds } from '@backplane/engine';
import { BackplaneError, type Component, defineComponent, type Vm } from '@backplane/slots';
import { z } from 'zod';
import { Objects } from './objects.ts';
import { PageCache } from './page-cache.ts';
import { PagingFile } from './paging-file.ts';
import { Space } from './space.ts';
import { version } from './version.ts';

const options = z.strictObject({
  pagingDirectory: z
    .string()
    .default('')
    .describe(
      'absolute name of a directory at a file server, where this host makes a file for dirty pages of programs when their frames are wanted; empty: they stay in memory',
    ),
  holdMilliseconds: z
    .number()
    .min(0)
    .max(1000)
    .default(5)
    .describe('how long a page of a file stays at least, after it was granted, when another host wants it'),
  writeBackSeconds: z
    .number()
    .min(0)
    .default(30)
    .describe('when a dirty page is written back, if nobody wants it before; 0: never'),
  probeSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('how often the memory server asks whether the owners of open files are alive'),
});
export interface VMemoryOptions {
  readonly pagingDirectory?: string;
  readonly holdMilliseconds?: number;
  readonly writeBackSeconds?: number;
  readonly probeSeconds?: number;
}

export const vMemory: Component<'vm', VMemoryOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/vm-v',
  version,
  slot: 'vm',
  contract: 1,
  requires: ['ipc', 'memory', 'memoryPolicy', 'naming?'],
  capabilities: ['objects'],
  options,
  create: ({ ipc, memory, memoryPolicy, naming }, o, machine): Vm => {
    const cache = new PageCache(memory, memoryPolicy, machine, seconds(o.writeBackSeconds));
    const holding = { holdNs: ms(o.holdMilliseconds), probeNs: seconds(o.probeSeconds), naming };
    const objects = new Objects(ipc, cache, holding);
    const { senders, holder: owner } = objects;
    const { pageBytes } = cache;
    const directory = o.pagingDirectory;
    if (directory !== '' && naming === undefined) throw nobodyToAsk(directory);
    const paging =
      directory === '' || naming === undefined
        ? null
        : new PagingFile({ ipc, naming, senders, owner, machine, pageBytes, directory });
    const { metrics } = machine;
    metrics.register('vm.residentPages', () => cache.frames());
    metrics.register('vm.dirtyPages', () => cache.dirtyPages);
    metrics.register('vm.faults', () => cache.faults);
    metrics.register('vm.hits', () => cache.hits);
    metrics.register('vm.evictions', () => cache.evictions);
    metrics.register('vm.writeBacks', () => cache.writeBacks);
    metrics.register('vm.objects', () => objects.count);
    metrics.register('vm.publishedFiles', () => objects.published);
    metrics.register('vm.takenFiles', () => objects.taken);
    if (paging !== null) {
      metrics.register('vm.pagesOut', () => paging.pagesOut);
      metrics.register('vm.pagesIn', () => paging.pagesIn);
      metrics.register('vm.pagingSlots', () => paging.used);
    }
    return { space: () => new Space(cache, paging), objects };
  },
});

const nobodyToAsk = (directory: string): BackplaneError =>
  new BackplaneError(
    'NO_NAMING',
    { directory },
    `@backplane/vm-v: the paging directory "${directory}" is found by name, and nothing fills the slot "naming".`,
    'Fill the slot, or leave out the option pagingDirectory: dirty pages of programs then stay in memory.',
  );
