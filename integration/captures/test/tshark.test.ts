/** Captures as tshark reads them. Run where tshark is installed; continuous integration installs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  captureDissectors,
  captureFrames,
  experiment,
  parseFault,
  parseSetting,
  type RunSettings,
  runExperiment,
} from '@backplane/lab';
import { afterAll, describe, expect, it } from 'vitest';

const installed = spawnSync('tshark', ['--version']).status === 0;
const place = mkdtempSync(join(tmpdir(), 'backplane-captures-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

interface Capture {
  /** Packets that the transports say they have sent. */
  readonly sent: number;
  /** Numbers of the frames that a display filter lets through. */
  frames(filter: string): number;
}

function captured(name: string, settings: RunSettings): Capture {
  const file = join(place, `${name}.pcapng`);
  writeFileSync(file, '');
  const run = runExperiment(experiment(name), {
    ...settings,
    faults: [parseFault('loss=2%')],
    attach: (cluster) => captureFrames(cluster, (bytes) => appendFileSync(file, bytes)),
  });
  writeFileSync(`${file}.lua`, captureDissectors());
  return {
    sent: run.metrics['rpc.sentPackets'] ?? 0,
    frames: (filter) =>
      execFileSync(
        'tshark',
        ['-X', `lua_script:${file}.lua`, '-r', file, '-Y', filter, '-T', 'fields', '-e', 'frame.number'],
        { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 },
      )
        .toString()
        .split('\n')
        .filter((line) => line !== '').length,
  };
}

describe.runIf(installed).each([
  [
    'Sprite RPC',
    'spriterpc',
    'spriterpc.flags.pleaseAck == 1',
    captured('bulk', { parameters: { calls: '10' } }),
  ],
  ['VMTP', 'vmtp', 'vmtp.flags.acknowledge == 1', captured('ipc-table', { parameters: { times: '10' } })],
  [
    'Sun RPC',
    'rpc',
    'rpc.msgtyp == 1',
    captured('null-rpc', { parameters: { calls: '200' }, settings: [parseSetting('transport=sun')] }),
  ],
])('a capture of %s in tshark', (_, protocol, acknowledgements, capture) => {
  it('has every packet, each decoded', () => {
    expect(capture.sent).toBeGreaterThan(300);
    // The last one may be on its way when the run ends.
    expect([capture.sent, capture.sent - 1]).toContain(capture.frames(protocol));
  });

  it('has none that is malformed, and every frame check sequence is right', () => {
    expect(capture.frames('_ws.malformed || _ws.expert.severity == error')).toBe(0);
    expect(capture.frames('eth.fcs.status == 0')).toBe(0);
  });

  it('shows retransmissions and acknowledgements where frames are lost', () => {
    expect(capture.frames(acknowledgements)).toBeGreaterThan(0);
  });

  it('has nothing else but address resolution', () => {
    expect(capture.frames(`!${protocol} && !arp`)).toBe(0);
  });
});
