import { describe, expect, it } from 'vitest';
import { Lanes, PerfettoTrace } from '../src/index.ts';
import { type DecodedPacket, decodeTrace } from './perfetto-schema.ts';

function written(write: (trace: PerfettoTrace) => void): readonly DecodedPacket[] {
  const parts: Uint8Array[] = [];
  write(new PerfettoTrace((bytes) => parts.push(bytes), 570_067_200));
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return decodeTrace(whole);
}

describe('a timeline', () => {
  it('begins with the wall clock at virtual time 0', () => {
    const [first] = written(() => {});
    expect(first?.clockSnapshot?.clocks).toEqual([
      { clockId: 6, timestamp: '0' },
      { clockId: 1, timestamp: '570067200000000000' },
    ]);
  });

  it('declares processes, their threads and counters, each with a number of its own', () => {
    const tracks = written((t) => {
      const allspice = t.process('allspice');
      t.thread(allspice, 'disk');
      const mace = t.process('mace');
      t.thread(mace, 'rpc');
      t.counter(mace, 'dirty blocks', 'count');
      t.counter(mace, 'load', { name: '%' });
    }).flatMap((p) => (p.trackDescriptor === undefined ? [] : [p.trackDescriptor]));
    expect(tracks).toEqual([
      { uuid: '1', name: 'allspice', process: { pid: 1, processName: 'allspice' } },
      { uuid: '2', name: 'disk', thread: { pid: 1, tid: 1001, threadName: 'disk' } },
      { uuid: '3', name: 'mace', process: { pid: 2, processName: 'mace' } },
      { uuid: '4', name: 'rpc', thread: { pid: 2, tid: 1002, threadName: 'rpc' } },
      { uuid: '5', name: 'dirty blocks', parentUuid: '3', counter: { unit: 2 } },
      { uuid: '6', name: 'load', parentUuid: '3', counter: { unitName: '%' } },
    ]);
  });

  it('has slices, instants, counters and flows at virtual nanoseconds, with what was noted of them', () => {
    const packets = written((t) => {
      const thread = t.thread(t.process('mace'), 'rpc');
      t.begin(thread, 5, 'read', {
        category: 'rpc',
        annotations: { to: 1, path: '/a', cached: true },
        flow: 7n,
      });
      t.instant(thread, 6, 'time-out', { annotations: { share: 0.5 } });
      t.end(thread, 9_007_199_254_740_991, { annotations: { outcome: 'reply' } });
      t.slice(thread, 20, 30, 'write', { flow: 2n ** 63n, flowEnds: true });
      t.count(thread, 31, 2.5);
    }).filter((p) => p.trackEvent !== undefined);
    expect(packets.map((p) => [p.timestamp, p.trustedPacketSequenceId, p.trackEvent?.['type']])).toEqual([
      ['5', 1, 1],
      ['6', 1, 3],
      ['9007199254740991', 1, 2],
      ['20', 1, 1],
      ['30', 1, 2],
      ['31', 1, 4],
    ]);
    expect(packets.map((p) => p.trackEvent)).toMatchObject([
      {
        trackUuid: '2',
        name: 'read',
        categories: ['rpc'],
        flowIds: ['7'],
        debugAnnotations: [
          { name: 'to', intValue: '1' },
          { name: 'path', stringValue: '/a' },
          { name: 'cached', boolValue: true },
        ],
      },
      { name: 'time-out', debugAnnotations: [{ name: 'share', doubleValue: 0.5 }] },
      { debugAnnotations: [{ name: 'outcome', stringValue: 'reply' }] },
      { name: 'write', terminatingFlowIds: ['9223372036854775808'] },
      {},
      { doubleCounterValue: 2.5 },
    ]);
  });

  it('is written packet by packet, with nothing held back', () => {
    const sizes: number[] = [];
    const trace = new PerfettoTrace((bytes) => sizes.push(bytes.length), 0);
    const thread = trace.thread(trace.process('a'), 'b');
    const before = sizes.length;
    for (let i = 0; i < 1000; i++) trace.instant(thread, i, 'x');
    expect(sizes.length - before).toBe(1000);
    expect(Math.max(...sizes)).toBeLessThan(64);
  });
});

describe('lanes', () => {
  it('give each thing that goes on a track of its own, the first that is free', () => {
    const made: number[] = [];
    const lanes = new Lanes<string>((n) => {
      made.push(n);
      return 10 + n;
    });
    expect([lanes.take('a'), lanes.take('b'), lanes.release('a'), lanes.take('c'), lanes.take('d')]).toEqual([
      10, 11, 10, 10, 12,
    ]);
    expect(made).toEqual([0, 1, 2]);
    expect(lanes.release('nobody')).toBeUndefined();
    expect(lanes.releaseAll()).toEqual([10, 11, 12]);
    expect(lanes.releaseAll()).toEqual([]);
  });
});
