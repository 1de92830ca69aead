import type { Task } from '@backplane/engine';
import { drive } from '@backplane/hw-disk';
import { ethernet } from '@backplane/hw-ethernet';
import { type Disk, Frame, type Medium } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToDisk, conformsToMedium } from '../src/index.ts';
import { type Change, defective, failedBy } from './defective.ts';

/** Its rules are known to be taken back wrongly when they were added twice. */
const butRulesTwice = /^(?!.*taking it back again)/;

const disk = (change: Change<Disk>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToDisk({ disk: defective(drive({ profile: 'wren-iv', policy: 'sstf' }), change), courses: 8 }),
    names,
  );

const diskDefects: readonly (readonly [string, Change<Disk>, RegExp])[] = [
  ['takes a barrier for nothing', () => ({ *barrier(): Task<void> {} }), /^no write made after a barrier/],
  [
    'says that a write is stored before it is',
    (d, { scope }) => ({
      *write(sector, data) {
        scope.spawn('write behind', d.write(sector, data));
      },
    }),
    /^a write is on the medium when it returns/,
  ],
  [
    'leaves the end of each request unwritten',
    (d) => ({
      *write(sector, data) {
        const short = data.slice();
        short.fill(0, data.length - d.sectorBytes / 2);
        yield* d.write(sector, short);
      },
    }),
    /^requests of many threads/,
  ],
  [
    'mixes a sector when its power fails',
    (d) => ({
      inspect(sector, count) {
        const bytes = d.inspect(sector, count);
        bytes[1] = (bytes[1] ?? 0) ^ 1;
        return bytes;
      },
    }),
    /^a crash leaves each sector/,
  ],
  ['takes no faults', () => ({ addRule: () => () => {} }), /^a rule that says so/],
  ['hides what is on it', () => ({ extents: () => [] }), /^extents hold everything/],
  [
    'goes on beyond its end',
    (d) => ({
      *read(sector, count) {
        return sector + count > d.sectors
          ? new Uint8Array(count * d.sectorBytes)
          : yield* d.read(sector, count);
      },
    }),
    /^noSuchSector/,
  ],
];

describe('the kit of the slot disk', () => {
  it('finds nothing wrong with a disk that is passed on unchanged', () => {
    expect(disk(() => ({}), butRulesTwice)).toEqual([]);
  });

  for (const [what, change, names] of diskDefects)
    it(`refuses one that ${what}`, () => {
      expect(disk(change, names)).toHaveLength(1);
    });
});

const medium = (change: Change<Medium>, names: RegExp): readonly string[] =>
  failedBy(conformsToMedium({ medium: defective(ethernet(), change), courses: 3 }), names);

/** Each station gets its frames changed, or not at all. */
const delivering =
  (deliver: (frame: Frame, to: (frame: Frame) => void) => void): Change<Medium> =>
  (m) => ({
    attach: (station) =>
      m.attach({ ...station, deliver: (frame) => deliver(frame, (f) => station.deliver(f)) }),
  });

let turn = 0;
const mediumDefects: readonly (readonly [string, Change<Medium>, RegExp])[] = [
  [
    'marks no damage',
    delivering((f, to) => to(new Frame(f.destination, f.source, f.type, [f.payload()], false))),
    /^damage makes a new frame/,
  ],
  ['brings frames twice', delivering((f, to) => [f, f].forEach(to)), /^a frame for a station reaches/],
  [
    'loses each third frame',
    delivering((f, to) => turn++ % 3 !== 0 && to(f)),
    /sent is called once for each/,
  ],
  [
    'asks the last rule first',
    (m) => {
      const rules: Parameters<Medium['addRule']>[0][] = [];
      m.addRule({
        name: 'all',
        judge: (frame, from, to) =>
          rules.map((r) => r.judge(frame, from, to)).findLast((v) => v !== 'pass') ?? 'pass',
      });
      return {
        addRule(rule) {
          rules.push(rule);
          return () => rules.splice(rules.indexOf(rule), 1);
        },
      };
    },
    /^the first rule that does not pass/,
  ],
  ['carries frames in no time', (m) => ({ bitsPerSecond: m.bitsPerSecond / 10 }), /^a frame takes its bits/],
  ['shows nothing to taps', () => ({ tap: () => () => {} }), /^taps see every frame/],
  [
    'tells of aborted frames',
    (m) => ({
      attach(station) {
        const attachment = m.attach(station);
        let told: ((delivered: boolean) => void) | null = null;
        return {
          ...attachment,
          detach: attachment.detach,
          send(frame, sent) {
            told = sent;
            attachment.send(frame, (delivered) => {
              told = null;
              sent(delivered);
            });
          },
          abort() {
            attachment.abort();
            told?.(false);
          },
        };
      },
    }),
    /^an aborted frame/,
  ],
];

describe('the kit of the slot medium', () => {
  it('finds nothing wrong with a medium that is passed on unchanged', () => {
    expect(medium(() => ({}), butRulesTwice)).toEqual([]);
  });

  for (const [what, change, names] of mediumDefects)
    it(`refuses one that ${what}`, () => {
      expect(medium(change, names)).toHaveLength(1);
    });
});
