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

  it('measures its own speed on a kernel', async () => {
    const words = ['bench', 'rpc8k', '--kernel', 'sprite', '--seconds', '1', '--rounds', '1', '--json'];
    expect(await main(words)).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'rpc8k', point: 'A', simulatedSeconds: 1 });
    stderr = '';
    expect(await main(['bench', 'rpc8k', '--kernel', 'spirte'])).toBe(3);
    expect(stderr).toMatch(/no kernel "spirte"/);
  });

  it('puts boards of the user in place of those of a published table', async () => {
    const rows = async (...words: string[]): Promise<readonly { row: string; measured: number }[]> => {
      stdout = '';
      await main(['published', 'sprite-rpc', ...words, '--json']);
      return (JSON.parse(stdout) as { rows: { row: string; measured: number }[] }).rows;
    };
    const own = await rows();
    const sun = await rows('--set', 'transport=sun');
    expect(sun.map((r) => r.row)).toEqual(own.map((r) => r.row));
    // Two calls of 8 KB where Sprite RPC makes one of 16.
    const large = own.findIndex((r) => r.row === 'sun3-75: 16 KB calls');
    expect(sun[large]?.measured).toBeLessThan(0.8 * (own[large]?.measured ?? 0));
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
    ).toEqual(['negotiated', 'fixed', 'unified']);
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
