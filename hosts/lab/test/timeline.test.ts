import { BinaryReader } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { experiment, parseFault, type RunSettings, runExperiment, Timeline } from '../src/index.ts';

interface Event {
  readonly timeNs: number;
  readonly type: number;
  readonly track: number;
  readonly name: string;
}
interface Decoded {
  /** Names of tracks by number, and the process that they belong to. */
  readonly tracks: ReadonlyMap<number, string>;
  readonly events: readonly Event[];
}

const [begin, end, counter] = [1, 2, 4];

/** Values of a message's fields, the last of each: numbers, or bytes. */
function fields(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const found = new Map<number, number | Uint8Array>();
  const from = new BinaryReader(bytes);
  while (from.pos < from.len) {
    const [field, wire] = from.tag();
    if (wire === 0) found.set(field, Number(from.uint64()));
    else if (wire === 1) found.set(field, Number(from.fixed64()));
    else found.set(field, from.bytes());
  }
  return found;
}
const bytesOf = (x: unknown): Uint8Array => (x instanceof Uint8Array ? x : new Uint8Array());
const textOf = (x: unknown): string => Buffer.from(bytesOf(x)).toString();

function decode(parts: readonly Uint8Array[]): Decoded {
  const from = new BinaryReader(Buffer.concat(parts));
  const tracks = new Map<number, string>();
  const events: Event[] = [];
  while (from.pos < from.len) {
    from.tag();
    const packet = fields(from.bytes());
    const track = fields(bytesOf(packet.get(60)));
    if (packet.has(60)) tracks.set(Number(track.get(1)), textOf(track.get(2)));
    const event = fields(bytesOf(packet.get(11)));
    if (packet.has(11))
      events.push({
        timeNs: Number(packet.get(8)),
        type: Number(event.get(9)),
        track: Number(event.get(11)),
        name: textOf(event.get(23)),
      });
  }
  return { tracks, events };
}

function recorded(
  name: string,
  settings: RunSettings,
): Decoded & { readonly traceHash: string; readonly endNs: number } {
  const parts: Uint8Array[] = [];
  const timeline = new Timeline();
  const run = runExperiment(experiment(name), {
    ...settings,
    attach: (cluster) => timeline.attach(cluster, (bytes) => parts.push(bytes)),
    watchCalls: timeline,
  });
  timeline.close();
  return { ...decode(parts), traceHash: run.traceHash, endNs: run.virtualSeconds * 1e9 };
}

const settings: RunSettings = {
  parameters: { rounds: '20' },
  faults: [parseFault('loss=2%'), parseFault('crash=thyme@4s'), parseFault('reboot=thyme@6s')],
  untilNs: 60e9,
};

describe('the timeline of a run', () => {
  const name = 'sharing';
  const plain = recorded(name, { parameters: { rounds: '10' } });

  it('changes nothing of the run', () => {
    expect(plain.traceHash).toBe(runExperiment(experiment(name), { parameters: { rounds: '10' } }).traceHash);
  });

  it('has a process for each machine and one for the wire, and tracks for what goes on in them', () => {
    const names = [...plain.tracks.values()];
    expect(names).toContain('allspice (server, sun3-180)');
    expect(names).toContain('mace (client, sun3-75)');
    expect(names).toContain('Ethernet');
    for (const track of [
      'power',
      'calls to other kernels 1',
      'calls served 1',
      'dirty blocks',
      'load',
      'wire',
    ])
      expect(names).toContain(track);
    expect(names.filter((n) => n.startsWith('sharing (process'))).toHaveLength(3);
  });

  it('shows calls of programs, calls between kernels, frames and counters', () => {
    const shown = (type: number, trackName: RegExp): Set<string> =>
      new Set(
        plain.events
          .filter((e) => e.type === type && trackName.test(plain.tracks.get(e.track) ?? ''))
          .map((e) => e.name),
      );
    expect([...shown(begin ?? 1, /^sharing/)]).toEqual(expect.arrayContaining(['open', 'close', 'readAt']));
    expect([...shown(begin ?? 1, /^calls to/)]).toEqual(expect.arrayContaining(['open', 'close']));
    expect([...shown(begin ?? 1, /^calls served/)]).toEqual(expect.arrayContaining(['open', 'close']));
    expect([...shown(begin ?? 1, /^wire/)]).toEqual(expect.arrayContaining(['spriteRpc']));
    expect([...shown(begin ?? 1, /^power/)]).toEqual(['off', 'booting', 'running']);
    expect(plain.events.some((e) => e.type === counter && plain.tracks.get(e.track) === 'load')).toBe(true);
  });

  it('closes every slice once, within the run, also of a machine that loses its power', () => {
    for (const { events, tracks, endNs } of [plain, recorded('sharing', settings)]) {
      const open = new Map<number, number>();
      for (const e of [...events].sort((a, b) => a.timeNs - b.timeNs)) {
        expect(e.timeNs).toBeGreaterThanOrEqual(0);
        expect(e.timeNs).toBeLessThanOrEqual(endNs);
        if (e.type === begin) open.set(e.track, (open.get(e.track) ?? 0) + 1);
        if (e.type === end) {
          open.set(e.track, (open.get(e.track) ?? 0) - 1);
          expect(open.get(e.track), tracks.get(e.track)).toBeGreaterThanOrEqual(0);
        }
      }
      expect([...open.values()].filter((n) => n !== 0)).toEqual([]);
    }
  });
});
