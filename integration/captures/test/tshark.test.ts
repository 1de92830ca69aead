/** Captures as tshark reads them. Run where tshark is installed; continuous integration installs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { captureDissectors, captureFrames, experiment, parseFault, runExperiment } from '@backplane/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const installed = spawnSync('tshark', ['--version']).status === 0;
const place = mkdtempSync(join(tmpdir(), 'backplane-captures-'));
const file = join(place, 'run.pcapng');
let sent = 0;

/** Numbers of the frames that a display filter lets through. */
const frames = (filter: string): number =>
  execFileSync(
    'tshark',
    ['-X', `lua_script:${file}.lua`, '-r', file, '-Y', filter, '-T', 'fields', '-e', 'frame.number'],
    { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 },
  )
    .toString()
    .split('\n')
    .filter((line) => line !== '').length;

beforeAll(() => {
  writeFileSync(file, '');
  const run = runExperiment(experiment('bulk'), {
    parameters: { calls: '10' },
    faults: [parseFault('loss=2%')],
    attach: (cluster) => captureFrames(cluster, (bytes) => appendFileSync(file, bytes)),
  });
  writeFileSync(`${file}.lua`, captureDissectors());
  sent = run.metrics['rpc.sentPackets'] ?? 0;
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe.runIf(installed)('a capture of Sprite RPC in tshark', () => {
  it('has every packet, each decoded as Sprite RPC', () => {
    expect(sent).toBeGreaterThan(300);
    expect(frames('spriterpc')).toBe(sent);
  });

  it('has none that is malformed, and every frame check sequence is right', () => {
    expect(frames('_ws.malformed || _ws.expert.severity == error')).toBe(0);
    expect(frames('eth.fcs.status == 0')).toBe(0);
  });

  it('shows retransmissions and acknowledgements where frames are lost', () => {
    expect(frames('spriterpc.flags.pleaseAck == 1')).toBeGreaterThan(0);
  });

  it('has nothing else but address resolution', () => {
    expect(frames('!spriterpc && !arp')).toBe(0);
  });
});
