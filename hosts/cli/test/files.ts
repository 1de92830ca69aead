/** Files as an author would write them, for the tests that load them. */

export const experimentFile = `
import type { Task } from '@backplane/engine';
import { defineExperiment, type Experiment } from '@backplane/lab';

interface Parameters { readonly files: number }
interface Result { readonly seconds: number }

const touch: Experiment<Parameters, Result> = defineExperiment<Parameters, Result>({
  name: 'touch',
  description: 'creates files',
  parameterTexts: [{ name: 'files', value: '3', description: 'how many' }],
  parameters: (given) => ({ files: Number(given['files'] ?? 3) }),
  shape: () => ({
    clients: 1,
    servers: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/']],
  }),
  *run({ clients: [client], parameters, start, cluster }): Task<Result> {
    const startNs = cluster.engine.nowNs;
    if (client !== undefined)
      yield* start(client, 'touch', function* (sys) {
        for (let i = 0; i < parameters.files; i++)
          yield* sys.close(yield* sys.open(\`/f\${i}\`, { write: true, create: true }));
        return 0;
      }).join();
    return { seconds: (cluster.engine.nowNs - startNs) / 1e9 };
  },
  measures: (r) => ({ 'touch.seconds': r.seconds }),
  table: (r) => ({ title: 'Touch', head: ['seconds'], rows: [[r.seconds.toFixed(3)]] }),
});
export default touch;
`;

export const kernelFile = `
import { noCache } from '@backplane/cache-none';
import type { KernelPlace } from '@backplane/lab';
import type { Kernel } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';

export default ({ role, prefixes }: KernelPlace): Kernel =>
  (role === 'server' ? spriteServer(prefixes) : spriteClient()).with({ fileCache: noCache() });
`;

/** One kernel for every machine: it has no storage, since domains belong to the experiment. */
export const plainKernelFile = `
import { spriteClient } from '@backplane/sprite';
import { fixedMemory } from '@backplane/memory-policy-fixed';

export default spriteClient().with({ memoryPolicy: fixedMemory({ filesShare: 0.2 }) });
`;

export const componentFile = `
import { type Component, defineComponent } from '@backplane/slots';

export const firstCome: Component<'memoryPolicy'> = defineComponent({
  name: 'backplane-memory-policy-first-come',
  version: '1.0.0',
  slot: 'memoryPolicy',
  contract: 1,
  requires: ['memory'],
  create: ({ memory }) => ({
    register: () => () => {},
    tryClaim: (by) => memory.allocate(by.name),
    *claim(by) {
      return memory.allocate(by.name);
    },
  }),
});
`;

/** The same as it would be published, without types. */
export const componentCode: string = componentFile
  .replace('type Component, ', '')
  .replace(": Component<'memoryPolicy'>", '');

export const componentManifest = {
  name: 'backplane-memory-policy-first-come',
  version: '1.0.0',
  type: 'module',
  exports: { '.': './index.js', './package.json': './package.json' },
  keywords: ['backplane-component'],
  peerDependencies: { '@backplane/engine': '^1.0.0', '@backplane/slots': '^1.0.0' },
  backplane: {
    component: 'memoryPolicy/first-come',
    provides: ['memoryPolicy'],
    requires: ['memory'],
    contract: 1,
    capabilities: [],
    protocols: [],
  },
} as const;
