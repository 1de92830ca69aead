import { defineKernel } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';
import { describe, expect, it } from 'vitest';
import {
  applySettings,
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
