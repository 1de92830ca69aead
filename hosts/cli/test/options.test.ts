import { chmodSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { backplane, Folder } from './console.ts';

interface RunJson {
  readonly seed: number;
  readonly kernels: Readonly<Record<string, Readonly<Record<string, { readonly name: string }>>>>;
  readonly cluster: {
    readonly machines: readonly {
      readonly name: string;
      readonly type: string;
      readonly role: string;
      readonly kernel: string;
    }[];
  };
  readonly virtualSeconds: number;
  readonly traceHash: string;
  readonly result: unknown;
  readonly metrics: Readonly<Record<string, number>>;
}
const run = async (...words: readonly string[]): Promise<RunJson> => {
  const { code, stdout, stderr } = await backplane(['run', ...words, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as RunJson;
};

describe('the options of a run', () => {
  it('say how many machines there are, of which types, and which kernel each role runs', async () => {
    const { cluster } = await run(
      'sharing',
      '--rounds',
      '1',
      ...['--machines', '2', '--servers', '2'],
      ...['--machine', 'sparcstation1', '--machine', 'server=sun3-180'],
      ...['--kernel', 'server=sprite', '--kernel', 'client=sprite'],
    );
    expect(cluster.machines).toEqual([
      { name: 'allspice', type: 'sun3-180', role: 'server', kernel: 'sprite-server' },
      { name: 'mint', type: 'sun3-180', role: 'server', kernel: 'sprite-server' },
      { name: 'mace', type: 'sparcstation1', role: 'client', kernel: 'sprite' },
      { name: 'thyme', type: 'sparcstation1', role: 'client', kernel: 'sprite' },
    ]);
  });

  it('swap a board on every role, or on one', async () => {
    const policies = async (set: string): Promise<readonly (string | undefined)[]> => {
      const { kernels } = await run('null-rpc', '--calls', '1', '--set', set);
      return ['sprite-server', 'sprite'].map((k) => kernels[k]?.['memoryPolicy']?.name.replace(/.*-/, ''));
    };
    expect(await policies('memoryPolicy=fixed')).toEqual(['fixed', 'fixed']);
    expect(await policies('client.memoryPolicy=fixed:filesShare=0.2')).toEqual(['negotiated', 'fixed']);
    expect(await policies('server.memoryPolicy=@backplane/memory-policy-fixed')).toEqual([
      'fixed',
      'negotiated',
    ]);
  });

  it('choose the seed', async () => {
    const [one, again, two] = [
      await run('rpc8k', '--seconds', '1'),
      await run('rpc8k', '--seconds', '1', '--seed', '1'),
      await run('rpc8k', '--seconds', '1', '--seed', '2'),
    ];
    expect([one.seed, again.seed, two.seed]).toEqual([1, 1, 2]);
    expect(again.traceHash).toBe(one.traceHash);
    expect(two.traceHash).not.toBe(one.traceHash);
  });

  it('stop a run at a virtual time, and let one that ends before it end', async () => {
    expect((await run('null-rpc', '--calls', '1', '--until', '90s')).virtualSeconds).toBeLessThan(90);
    const { code, stdout } = await backplane(['run', 'null-rpc', '--until', '1ms']);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('strike with faults, and say in sentences what those would do', async () => {
    const { metrics } = await run('bulk', '--calls', '10', '--fault', 'loss=5%');
    expect(metrics['network.faults.dropped']).toBeGreaterThan(0);
    const words = [
      'run',
      'null-rpc',
      '--explain-faults',
      '--fault',
      'loss=5%',
      '--fault',
      'crash=mace@2s',
      '--json',
    ];
    const { code, stdout } = await backplane(words);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      faults: [
        { spec: 'loss=5%', sentence: expect.stringMatching(/5 %.*lost/) },
        { spec: 'crash=mace@2s', sentence: expect.stringMatching(/At 2s mace loses its power/) },
      ],
    });
    const wrong = ['run', 'null-rpc', '--explain-faults', '--fault', 'crash=mce@2s'];
    expect((await backplane(wrong)).stderr).toMatch(/no machine "mce"[\s\S]*"mace"/);
    const every = await backplane(['run', '--explain-faults']);
    for (const kind of ['loss', 'partition', 'oneway', 'pause', 'disk'])
      expect(every.stdout).toContain(`${kind}=`);
    expect(every.stdout).toContain('the next request to disk.2 of allspice fails');
  });

  it('put memory before a disk, and a disk into an array', async () => {
    const array = ['--set', 'disk=raid:level=5,of=disk.1+disk.2+disk.3', '--set', 'disk=nvram'];
    const { kernels, metrics } = await run('small-files', '--files', '5', ...array);
    expect(Object.keys(kernels['sprite-server'] ?? {}).filter((i) => i.startsWith('disk'))).toEqual([
      'disk.1',
      'disk.2',
      'disk.3',
      'disk.4',
      'disk.0',
    ]);
    expect(metrics['nvram.server.writesAbsorbed']).toBeGreaterThan(0);
    expect(metrics['raid.server.losses']).toBe(0);
  });

  it('put memory behind the caches of clients', async () => {
    const words = ['sharing', '--rounds', '1', '--set', 'client.nvram=nvram:bytes=1048576'];
    const { kernels, metrics } = await run(...words);
    expect(kernels['sprite']?.['nvram']?.name).toBe('@backplane/hw-nvram');
    expect(kernels['sprite-server']?.['nvram']).toBe(undefined);
    expect(metrics['cache.client.asideWrites']).toBeGreaterThan(0);
  });

  it('are those of verify and compare too', async () => {
    const words = [
      '--calls',
      '2',
      '--machines',
      '2',
      '--kernel',
      'sprite',
      '--machine',
      'client=sparcstation1',
    ];
    const more = [
      '--fault',
      'delay=1ms',
      '--set',
      'scheduler=sprite:quantumMs=50',
      '--until',
      '90s',
      '--seed',
      '3',
    ];
    const verified = await backplane(['verify', 'null-rpc', ...words, ...more, '--json']);
    expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([0, { equal: true }]);
    const { traceHash } = await run('null-rpc', ...words, ...more);
    expect(JSON.parse(verified.stdout)).toMatchObject({ traceHashes: [traceHash, traceHash] });
    const vary = ['--vary', 'client.memoryPolicy=negotiated,fixed', '--seeds', '2'];
    const compared = await backplane(['compare', 'null-rpc', ...words, ...more, ...vary, '--json']);
    expect([compared.code, JSON.parse(compared.stdout)]).toMatchObject([0, { seeds: 2 }]);
  });
});

describe('--tree', () => {
  /** Says what programs see of the files of a tree. */
  const look = `import { defineExperiment } from '@backplane/lab';
export default defineExperiment({
  name: 'look', description: 'looks at a tree', parameterTexts: [], parameters: () => ({}), treeAt: '/in',
  shape: () => ({ clients: 1, servers: 1, machineTypes: { client: 'zero-cost', server: 'zero-cost' }, prefixes: [['/']] }),
  *run({ clients: [client], start }) {
    const seen = {};
    yield* start(client, 'look', function* (sys) {
      for (const name of yield* sys.entries('/in')) {
        const a = yield* sys.stat('/in/' + name);
        seen[name] = [a.type, a.mode.toString(8), a.uid, a.modifyNs];
      }
      return 0;
    }).join();
    return seen;
  },
  measures: () => ({}), table: () => ({ title: '', head: [], rows: [] }),
});`;
  /** On the host's clock, in seconds. */
  const modified = 1_700_000_000;

  it('brings in content alone, or with --preserve also modes, owners and times', async () => {
    using folder = new Folder();
    folder.file('look.mjs', look);
    const file = folder.file('tree/secret', 'x');
    chmodSync(file, 0o640);
    utimesSync(file, modified, modified);
    const inner = folder.file('tree/newest', 'y');
    utimesSync(inner, modified + 3600, modified + 3600);
    utimesSync(folder.at('tree'), modified, modified);
    const seen = async (...words: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
      const given = ['run', 'look.mjs', '--tree', folder.at('tree'), ...words, '--json'];
      const { code, stdout } = await backplane(given, folder.path);
      expect(code).toBe(0);
      return (JSON.parse(stdout) as RunJson).result as Readonly<Record<string, unknown>>;
    };
    const plain = await seen();
    expect(Object.keys(plain)).toEqual(['newest', 'secret']);
    expect(plain['secret']).toEqual(['file', '644', 0, 0]);
    const kept = await seen('--preserve');
    const uid = process.getuid?.() ?? 0;
    // Times keep their order: the directory and "secret" are the oldest.
    expect(kept['secret']).toEqual(['file', '640', uid, 0]);
    expect(kept['newest']).toEqual(['file', '644', uid, 1]);
  });
});
