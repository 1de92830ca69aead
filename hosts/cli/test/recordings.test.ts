import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { backplane, Folder } from './console.ts';

/** Every track of a timeline has a name; names are plain text in it. */
const timeline = (path: string): string => readFileSync(path).toString('latin1');

describe('--trace', () => {
  it('writes the timeline of a run, and changes nothing of it', async () => {
    using folder = new Folder();
    const words = ['run', 'sharing', '--rounds', '4', '--json'];
    const plain = await backplane(words);
    const traced = await backplane([...words, '--trace', folder.at('run.pftrace')]);
    const hash = (json: string): unknown => (JSON.parse(json) as { readonly traceHash: unknown }).traceHash;
    expect(hash(traced.stdout)).toBe(hash(plain.stdout));
    expect(traced.stderr).toMatch(/wrote .*run\.pftrace/);
    const text = timeline(folder.at('run.pftrace'));
    for (const said of [
      'allspice (server',
      'mace (client',
      'Ethernet',
      'calls served',
      'dirty blocks',
      'readAt',
    ])
      expect(text).toContain(said);
  });

  it('is that of the first run of a verification, and of the first seed of each variant of a comparison', async () => {
    using folder = new Folder();
    const trace = ['--calls', '1', '--trace', folder.at('t.pftrace'), '--pcap', folder.at('p.pcapng')];
    expect((await backplane(['verify', 'null-rpc', ...trace])).code).toBe(0);
    expect(folder.names).toEqual(['p.pcapng', 'p.pcapng.lua', 't.pftrace']);
    const vary = ['--vary', 'scheduler=sprite,sprite:quantumMs=50', '--seeds', '2'];
    expect((await backplane(['compare', 'null-rpc', ...vary, ...trace])).code).toBe(0);
    expect(folder.names).toEqual(
      ['p.1.pcapng', 'p.1.pcapng.lua', 'p.2.pcapng', 'p.2.pcapng.lua', 't.1.pftrace', 't.2.pftrace']
        .concat(['p.pcapng', 'p.pcapng.lua', 't.pftrace'])
        .sort(),
    );
    for (const name of ['t.1.pftrace', 't.2.pftrace'])
      expect(timeline(folder.at(name)).length).toBe(timeline(folder.at('t.pftrace')).length);
  });
});

describe('--report', () => {
  const report = async (words: readonly string[]): Promise<string> => {
    using folder = new Folder();
    const { code, stderr } = await backplane([...words, '--report', folder.at('r.html')]);
    expect(stderr).toMatch(/wrote .*r\.html/);
    expect(code).toBe(0);
    return readFileSync(folder.at('r.html'), 'utf8');
  };
  /** Addresses that a browser would fetch: none. Names of namespaces are not. */
  const addresses = (html: string): readonly string[] =>
    [...html.matchAll(/https?:[^"' <)]+|<(script|link|img|iframe)\b/g)]
      .map(([found]) => found)
      .filter((found) => !found.startsWith('http://www.w3.org/'));

  it('shows the settings, the result and a plot of a run', async () => {
    const html = await report([
      'run',
      'bulk',
      '--calls',
      '2',
      '--fault',
      'delay=1ms',
      '--set',
      'scheduler=sprite:quantumMs=50',
    ]);
    expect(html).toMatch(/<title>bulk, one run<\/title>/);
    for (const said of [
      '16384',
      'rpc.16384.milliseconds',
      'scheduler=sprite:quantumMs=50',
      'allspice',
      'trace hash',
    ])
      expect(html).toContain(said);
    expect(html).toMatch(/<dt>--fault delay=1ms<\/dt><dd>\w/);
    expect(html).toMatch(/What the processors of each role were busy with[\s\S]*client: network/);
    expect(html.match(/<svg /g)).toHaveLength(2);
    expect(html).not.toMatch(/NaN|undefined|\[object/);
    expect(addresses(html)).toEqual([]);
  });

  it("shows an experiment's own curves, measured ones with dots and formulas dashed", async () => {
    const words = ['--full', '0.2,0.5', '--segments', '64', '--segment-kilobytes', '128', '--turns', '30'];
    const html = await report(['run', 'cleaning', ...words]);
    const figures = html
      .split('<figure class="plot">')
      .filter((f) => f.startsWith('<figcaption>Write cost by'));
    expect(figures).toHaveLength(2);
    for (const figure of figures) {
      expect(figure).toContain('measured, uniform');
      expect(figure).toContain('2 / (1 - u)');
      expect(figure.match(/stroke-dasharray="5,4"/g)).toHaveLength(1);
      // One for each share.
      expect(figure.match(/aria-roledescription="point"/g)).toHaveLength(2);
      expect(figure).not.toMatch(/NaN|undefined/);
    }
  });

  it('shows the change and its interval for each variant of a comparison', async () => {
    const html = await report([
      'compare',
      'null-rpc',
      '--calls',
      '2',
      '--vary',
      'transport=sprite,sprite:hostMonitor=false,sprite',
      '--seeds',
      '2',
    ]);
    expect(html.match(/<svg /g)).toHaveLength(2);
    expect(html).toMatch(/Change with 95 % intervals over 2 seeds/);
    expect(html).toContain('transport=sprite:hostMonitor=false');
    expect(html).not.toMatch(/NaN|undefined|\[object/);
    expect(addresses(html)).toEqual([]);
  });

  it('shows predicted and fitted rows apart, and every constant, of published tables', async () => {
    const html = await report(['published', 'sprite-rpc']);
    expect(html).toMatch(/<h2>Predicted rows<\/h2>[\s\S]*<h2>Fitted rows<\/h2>[\s\S]*<h2>Constants<\/h2>/);
    expect(html).toContain('contextSwitchNs');
    expect(html.match(/<svg /g)).toHaveLength(1);
    expect(html).not.toMatch(/NaN|undefined|\[object/);
    expect(addresses(html)).toEqual([]);
  });

  it('takes what it shows as text', async () => {
    using folder = new Folder();
    const ops = folder.file('a<b.ops', 'mkdir "/<i>&x" 755\n');
    const html = await report(['run', 'replay', '--ops', ops]);
    expect(html).toContain('a&lt;b.ops');
    expect(html).not.toContain('<i>');
  });
});
