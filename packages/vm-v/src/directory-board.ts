/** The board for slot `servers`: the cache directory of a host. */
import { type Component, defineComponent, type Server } from '@backplane/slots';
import { z } from 'zod';
import { CacheDirectory } from './cache-directory.ts';
import { version } from './version.ts';

const options = z.strictObject({
  threads: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe('how many files are being opened at once; further requests wait in line'),
});
export interface CacheDirectoryOptions {
  readonly threads?: number;
}

export const cacheDirectory: Component<'servers', CacheDirectoryOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/vm-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc', 'naming', 'vm'],
  options,
  create: ({ ipc, naming, vm }, { threads }, machine): Server => {
    const directory = new CacheDirectory({ ipc, naming, objects: vm.objects, machine }, threads);
    machine.metrics.register('vm.cachedOpens', () => directory.opens);
    return directory;
  },
});
