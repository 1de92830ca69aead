import { type Component, defineComponent, defineKernel } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  applySettings,
  type CatalogueEntry,
  experiment,
  faultKinds,
  machineType,
  parseDuration,
  parseFault,
  parseSetting,
  readTree,
} from '../src/index.ts';

const failure = (
  f: () => unknown,
): { readonly code: string; readonly message: string; readonly hint: string } => {
  try {
    f();
  } catch (e) {
    return e as { readonly code: string; readonly message: string; readonly hint: string };
  }
  throw new Error('it did not fail');
};

describe('settings', () => {
  it('are a slot, a board and options, for all roles or one', () => {
    const s = parseSetting('client.memoryPolicy=fixed:filesShare=0.3');
    expect([s.role, s.slot, s.entry.name, s.options]).toEqual([
      'client',
      'memoryPolicy',
      '@backplane/memory-policy-fixed',
      { filesShare: 0.3 },
    ]);
  });

  it('name the nearest spelling of a slot, of a board, of a role', () => {
    expect(failure(() => parseSetting('memoryPolcy=fixed')).hint).toBe('Did you mean "memoryPolicy"?');
    expect(failure(() => parseSetting('memoryPolicy=fixd')).hint).toBe('Did you mean "fixed"?');
    const kernels = new Map([['client', defineKernel('k', {})]]);
    expect(failure(() => applySettings(kernels, [parseSetting('cleint.memoryPolicy=fixed')])).hint).toBe(
      'Did you mean "client"?',
    );
    expect(failure(() => parseSetting('fixed')).code).toBe('MALFORMED_SETTING');
  });

  it('refuse a wrong option with the board’s own words', () => {
    const kernels = new Map([['client', spriteClient()]]);
    expect(
      failure(() => applySettings(kernels, [parseSetting('memoryPolicy=fixed:filesShare=7')])).message,
    ).toMatch(/filesShare/);
    expect(
      failure(() => applySettings(kernels, [parseSetting('memoryPolicy=fixed:share=0.1')])).message,
    ).toMatch(/share/);
  });

  it('fill every instance of a slot of many, and keep what says where it stands', () => {
    const kernels = applySettings(new Map([['server', spriteServer(['/', '/src'])]]), [
      parseSetting('storage=memory:sizeBytes=1000000'),
    ]);
    const boards = [...(kernels.get('server')?.boards ?? [])].filter(([i]) => i.startsWith('storage'));
    expect(boards.map(([i, b]) => [i, b.options['domain'], b.options['sizeBytes']])).toEqual([
      ['storage:/', 0, 1_000_000],
      ['storage:/src', 1, 1_000_000],
    ]);
  });

  it('keep what the kernel promises of names, unless they say otherwise', () => {
    const metadata = (...settings: string[]): unknown => {
      const kernels = applySettings(
        new Map([['server', spriteServer()]]),
        settings.map((s) => parseSetting(s)),
      );
      return kernels.get('server')?.boards.get('storage:/')?.options['metadata'];
    };
    expect(metadata('storage=lfs:segmentBytes=65536')).toBe('synchronous');
    expect(metadata('storage=ofs:placement=grouped')).toBe('synchronous');
    expect(metadata('storage=lfs:metadata=delayed')).toBe('delayed');
    expect(metadata('storage=ofs:metadata=delayed', 'storage=lfs')).toBe('delayed');
  });

  it('keep nothing that the new board would not understand', () => {
    const options = (schema: z.ZodType<Readonly<Record<string, unknown>>>): unknown => {
      const component = defineComponent({
        name: 'mine',
        version: '1.0.0',
        slot: 'storage',
        contract: 1,
        requires: [],
        options: schema,
        create: () => {
          throw new Error('is not made here');
        },
      });
      const entry = {
        short: 'mine',
        name: 'mine',
        slot: 'storage',
        component: component as unknown as Component,
        make: component as CatalogueEntry['make'],
      };
      const settings = [parseSetting('storage=mine:journal=true', [entry])];
      const kernels = applySettings(new Map([['server', spriteServer()]]), settings);
      return kernels.get('server')?.boards.get('storage:/')?.options;
    };
    const journal = z.boolean();
    expect(options(z.strictObject({ journal }))).toEqual({ journal: true });
    expect(options(z.object({ journal, metadata: z.enum(['logged', 'lazy']).default('lazy') }))).toEqual({
      journal: true,
      metadata: 'lazy',
    });
    expect(options(z.object({ journal, domain: z.int() }))).toEqual({ journal: true, domain: 0 });
  });
});

/** The disks of a file server with these settings: board and what it is made of, by instance. */
const disksWith = (prefixes: readonly string[], ...settings: string[]): Readonly<Record<string, string>> => {
  const kernels = applySettings(
    new Map([['server', spriteServer(prefixes)]]),
    settings.map((s) => parseSetting(s)),
  );
  const boards = [...(kernels.get('server')?.boards ?? [])].filter(([i]) => i.startsWith('disk'));
  return Object.fromEntries(
    boards.map(([i, b]) => [i, [b.name.replace('@backplane/hw-', ''), ...b.wraps].join(' ')]),
  );
};

describe('settings of boards that are made of others', () => {
  const members = {
    'disk.1': 'disk',
    'disk.2': 'disk',
    'disk.3': 'disk',
    'disk.4': 'disk',
    'disk.5': 'disk',
  };

  it('put the board into the place of what it is then made of', () => {
    expect(disksWith(['/'], 'disk=nvram')).toEqual({ 'disk.0': 'nvram disk.1', 'disk.1': 'disk' });
    expect(disksWith(['/'], 'disk=raid')).toEqual({
      'disk.0': 'raid disk.1 disk.2 disk.3 disk.4 disk.5',
      ...members,
    });
  });

  it('take as many as are named, and those that are there already as they are', () => {
    expect(disksWith(['/'], 'disk=raid:level=1,of=disk.1+disk.2')).toEqual({
      'disk.0': 'raid disk.1 disk.2',
      'disk.1': 'disk',
      'disk.2': 'disk',
    });
    expect(disksWith(['/', '/src'], 'disk=nvram:of=disk.1')).toEqual({
      'disk.0': 'nvram disk.1',
      'disk.1': 'disk',
    });
    expect(parseSetting('disk=raid:level=0,of=disk.7').options).toEqual({ level: 0, of: ['disk.7'] });
  });

  it('stand before each that stands for itself', () => {
    expect(disksWith(['/', '/src'], 'disk=nvram')).toEqual({
      'disk.0': 'nvram disk.2',
      'disk.1': 'nvram disk.3',
      'disk.2': 'disk',
      'disk.3': 'disk',
    });
    expect(disksWith(['/'], 'disk=raid', 'disk=nvram')).toEqual({
      'disk.0': 'nvram disk.6',
      ...members,
      'disk.6': 'raid disk.1 disk.2 disk.3 disk.4 disk.5',
    });
  });

  it('mean the same before and after a setting of what they are made of', () => {
    const kernel = (...settings: string[]) =>
      [
        ...(applySettings(
          new Map([['server', spriteServer()]]),
          settings.map((s) => parseSetting(s)),
        ).get('server')?.boards ?? []),
      ]
        .filter(([i]) => i.startsWith('disk'))
        .map(([i, b]) => [i, b.name, b.options]);
    const drive = 'disk=drive:profile=wren-iv';
    expect(kernel('disk=nvram:bytes=65536', drive)).toEqual(kernel(drive, 'disk=nvram:bytes=65536'));
    expect(kernel(drive, 'disk=nvram')[1]?.[2]).toMatchObject({ profile: 'wren-iv' });
  });

  it('exchange a board of the same component, which keeps what it is made of', () => {
    const array = 'disk=raid:of=disk.1+disk.2+disk.3';
    expect(disksWith(['/'], array, 'disk=raid:level=0')).toEqual(disksWith(['/'], array));
    expect(disksWith(['/'], array, 'disk=raid:level=1,of=disk.2+disk.9')).toEqual({
      'disk.0': 'raid disk.2 disk.9',
      'disk.2': 'disk',
      'disk.9': 'disk',
    });
  });

  it('are refused where there is nothing behind them, or what is there cannot be had twice', () => {
    const clients = new Map([['client', spriteClient()]]);
    expect(failure(() => applySettings(clients, [parseSetting('client.disk=nvram')])).code).toBe(
      'WRAPS_NOBODY',
    );
    expect(applySettings(clients, [parseSetting('disk=nvram')])).toEqual(clients);
    expect(failure(() => disksWith(['/'], 'disk=nvram', 'disk=raid')).code).toBe('COPIES_WRAPPING');
    expect(failure(() => disksWith(['/'], 'disk=nvram:of=disk.1+disk.2')).message).toBe(
      '--set disk=nvram:of=disk.1+disk.2: "disk.1+disk.2" is no name for one of the slot "disk".',
    );
  });
});

describe('the setting nvram=nvram', () => {
  it('gives machines a memory, and leaves disk=nvram the one before a disk', () => {
    const kernels = applySettings(
      new Map([
        ['client', spriteClient()],
        ['server', spriteServer()],
      ]),
      ['client.nvram=nvram:bytes=1048576', 'disk=nvram:bytes=65536'].map((s) => parseSetting(s)),
    );
    const boards = ['client', 'server'].map((role) =>
      [...(kernels.get(role)?.boards ?? [])]
        .filter(([, b]) => b.name === '@backplane/hw-nvram')
        .map(([instance, b]) => [instance, b.slot, b.options['bytes']]),
    );
    expect(boards).toEqual([[['nvram', 'nvram', 1_048_576]], [['disk.0', 'disk', 65_536]]]);
  });
});

describe('names', () => {
  it('of experiments and machine types come with the nearest one', () => {
    expect(failure(() => experiment('null-rcp')).hint).toBe('Did you mean "null-rpc"?');
    expect(failure(() => machineType('sun3-57')).hint).toBe('Did you mean "sun3-75"?');
  });
});

describe('durations', () => {
  it('are numbers with a unit, seconds without one', () => {
    expect(['90s', '1.5', '20ms', '5us', '2m', 'soon', ''].map(parseDuration)).toEqual([
      90e9,
      1.5e9,
      20e6,
      5000,
      120e9,
      undefined,
      undefined,
    ]);
  });
});

describe('faults', () => {
  it('say in a sentence what they would do', () => {
    expect(parseFault('loss=2%').sentence).toMatch(/2 %.*lost/);
    expect(parseFault('crash=allspice@30s').sentence).toMatch(/At 30s allspice loses its power/);
    expect(parseFault('partition=a,b|c@10s-20s').sentence).toMatch(/From 10 s until 20 s/);
  });

  it('name the machines that they concern', () => {
    expect([
      parseFault('oneway=a>b@1s-2s').machines,
      parseFault('pause=a@1s-2s').machines,
      parseFault('disk=a:error@4s').machines,
    ]).toEqual([['a', 'b'], ['a'], ['a']]);
  });

  it('of a disk are of the disks that storages use, or of one by its instance', () => {
    const disksOf = (spec: string) => parseFault(spec).disks;
    expect(disksOf('disk=a:error@4s')).toBe('offered');
    expect(disksOf('disk=a/disk.2:error@4s')).toEqual({ instance: 'disk.2' });
    expect(disksOf('disk=a/2:error@4s')).toEqual({ instance: 'disk.2' });
    expect(parseFault('disk=a/2:error@4s').sentence).toBe(
      'At 4s the next request to disk.2 of a fails with an I/O error.',
    );
  });

  it('with a typo say what was meant, or how it is written', () => {
    expect(failure(() => parseFault('los=2%')).hint).toBe('Did you mean "loss"?');
    for (const wrong of [
      'loss',
      'loss=two',
      'crash=allspice',
      'crash=@3s',
      'partition=a,b@1s',
      'pause=a@9s-3s',
      'delay=soon',
      'disk=a@4s',
      'disk=a/:error@4s',
      'disk=/disk.1:error@4s',
    ])
      expect(failure(() => parseFault(wrong)).code, wrong).toBe('WRONG_FAULT');
    expect(faultKinds).toContain('oneway');
  });
});

describe('trees', () => {
  it('are read in the order of the bytes of their names, with fixed times and owners', () => {
    const tree = readTree(new URL('../src', import.meta.url).pathname);
    const paths = tree.entries.map((e) => e.path);
    expect(paths[0]).toBe('');
    expect(paths).toEqual(
      [...paths].sort((a, b) => (a.startsWith(`${b}/`) ? 1 : b.startsWith(`${a}/`) ? -1 : a < b ? -1 : 1)),
    );
    expect(new Set(tree.entries.map((e) => `${e.uid} ${e.modifyNs}`))).toEqual(new Set(['0 0']));
  });

  it('that cannot be read are refused with the reason', () => {
    expect(failure(() => readTree('/no/such/place')).message).toBe(
      '--tree /no/such/place: there is no such directory.',
    );
    expect(failure(() => readTree(new URL(import.meta.url).pathname)).message).toMatch(/not a directory/);
  });
});
