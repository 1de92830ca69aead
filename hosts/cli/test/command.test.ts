import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../src/index.ts';

let stdout = '';
let stderr = '';

beforeEach(() => {
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

describe('the command', () => {
  it('prints one JSON object on standard output for a run, with everything that made it', async () => {
    expect(await main(['run', 'null-rpc', '--calls', '3', '--json'])).toBe(0);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(Object.keys(result)).toEqual([
      'experiment',
      'seed',
      'kernels',
      'cluster',
      'virtualSeconds',
      'events',
      'traceHash',
      'result',
      'metrics',
      'wallSeconds',
      'cpuSeconds',
    ]);
    expect(result['traceHash']).toMatch(/^[0-9a-f]{64}$/);
    expect(result['kernels']).toMatchObject({ sprite: { transport: { name: '@backplane/rpc-sprite' } } });
  });

  it('prints a table for people, and notes beside it on standard error', async () => {
    expect(await main(['run', 'null-rpc', '--calls', '3'])).toBe(0);
    expect(stdout).toMatch(/bytes +ms +KB\/s/);
    expect(stderr).toMatch(/virtual s in .* seed 1/);
  });

  it('gives another trace for another seed, and the same for the same', async () => {
    const hashes: string[] = [];
    for (const seed of ['1', '1', '2']) {
      stdout = '';
      await main(['run', 'rpc8k', '--seconds', '1', '--seed', seed, '--json']);
      hashes.push((JSON.parse(stdout) as { readonly traceHash: string }).traceHash);
    }
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  it('ends with 3 for wrong usage, says where, and what to try', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['run', 'null-rcp'], /no experiment "null-rcp".*\n.*null-rpc/],
      [['run', 'null-rpc', '--cals', '3'], /no option --cals.*\n.*--calls/],
      [['run', 'null-rpc', '--set', 'transport=sprit'], /no installed board.*\n.*"sprite"/],
      [['run', 'null-rpc', '--set', 'transport=sprite:retrys=3'], /retrys/],
      [['run', 'null-rpc', '--machine', 'sun3-57'], /no machine type.*\n.*sun3-75/],
      [['run', 'null-rpc', '--fault', 'los=2%'], /no fault "los".*\n.*loss/],
      [['run', 'null-rpc', '--fault', 'crash=nobody@3s'], /no machine "nobody"/],
      [['run', 'andrew', '--tree', '/no/such/place'], /no such directory/],
      [['run', 'null-rpc', '--seed', 'x'], /--seed takes a whole number/],
      [['run', 'null-rpc', '--until', 'soon'], /--until takes a duration/],
      [['run', 'replay'], /needs an operation file/],
      [['compare', 'null-rpc', '--vary', 'transport=sprite'], /compares nothing/],
      [['components', 'trnsport'], /no slot "trnsport".*\n.*transport/],
      [['no-such-command'], /unknown command/],
    ];
    for (const [words, said] of cases) {
      stderr = '';
      stdout = '';
      expect(await main(words), words.join(' ')).toBe(3);
      expect(stderr, words.join(' ')).toMatch(said);
      expect(stdout).toBe('');
    }
  });

  it('ends with 2 when a run did not get to its end', async () => {
    expect(await main(['run', 'rpc8k', '--seconds', '100', '--until', '1s'])).toBe(2);
    expect(stderr).toMatch(/had not ended after 1 virtual seconds/);
  });

  it('verifies that a run is a function of its inputs', async () => {
    expect(await main(['verify', 'null-rpc', '--calls', '2', '--json'])).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ equal: true, firstDivergence: null });
  });

  it('compares variants over seeds, with intervals and the first difference', async () => {
    expect(
      await main([
        'compare',
        'null-rpc',
        '--calls',
        '2',
        '--vary',
        'transport=sprite,sprite:hostMonitor=false',
        '--seeds',
        '3',
        '--json',
      ]),
    ).toBe(0);
    const c = JSON.parse(stdout) as {
      readonly base: { readonly set: string };
      readonly variants: readonly {
        readonly metrics: Record<string, { readonly changePercent: number }>;
        readonly firstDivergence: object | null;
      }[];
      readonly seeds: number;
    };
    expect([c.base.set, c.seeds]).toEqual(['transport=sprite', 3]);
    expect(c.variants[0]?.metrics['rpc.0.milliseconds']?.changePercent).toBeLessThan(-5);
    expect(c.variants[0]?.firstDivergence).toMatchObject({
      machine: expect.any(String),
      component: expect.any(String),
    });
  });

  it('shows components, a kernel as a tree and as DOT, faults in sentences, and its health', async () => {
    expect(await main(['components', 'memoryPolicy', '--json'])).toBe(0);
    expect(
      (JSON.parse(stdout) as { readonly components: readonly { readonly short: string }[] }).components.map(
        (c) => c.short,
      ),
    ).toEqual(['negotiated', 'fixed']);
    for (const [words, said] of [
      [['graph'], /systemCalls {2}@backplane\/syscalls-sprite/],
      [['graph', '--dot'], /"transport" -> "nic"/],
      [['run', '--explain-faults', '--fault', 'loss=2%'], /2 %/],
      [['run'], /andrew/],
      [['doctor'], /one copy of @backplane\/engine/],
    ] as const) {
      stdout = '';
      expect(await main(words), words.join(' ')).toBe(0);
      expect(stdout, words.join(' ')).toMatch(said);
    }
  });
});
