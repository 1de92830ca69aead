import { nvramBlocks } from '@backplane/hw-nvram';
import type { Board, Nvram } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToNvram } from '../src/index.ts';
import { type Change, defective, failedBy } from './defective.ts';

const sound = (): Board<'nvram'> => nvramBlocks({ bytes: 40_960 });

const nvram = (change: Change<Nvram>, names = /./): readonly string[] =>
  failedBy(conformsToNvram({ nvram: defective(sound(), change), courses: 3 }), names);

const defects: readonly (readonly [string, Change<Nvram>, RegExp])[] = [
  [
    'begins each block with what is put',
    (m) => ({ tryPut: (label: string, n: number, _at: number, b: Uint8Array) => m.tryPut(label, n, 0, b) }),
    /^a block is read as it was put/,
  ],
  [
    'hands out what it was handed',
    (m) => {
      const given = new Map<string, Uint8Array>();
      return {
        tryPut: (label: string, n: number, at: number, b: Uint8Array) => {
          given.set(`${label}/${n}`, b);
          return m.tryPut(label, n, at, b);
        },
        read: (label: string, n: number) => given.get(`${label}/${n}`),
      };
    },
    /^bytes are shared/,
  ],
  [
    'has one block less than it says',
    (m) => ({ blocksMax: m.blocksMax + 1 }),
    /^there is room for as many blocks/,
  ],
  [
    'keeps words of labels without blocks',
    (m) => {
      const words = new Map<string, readonly number[]>();
      return {
        tell: (label: string, told: readonly number[]) => void words.set(label, told),
        labels: () => m.labels().map((l) => ({ ...l, words: words.get(l.label) ?? [] })),
      };
    },
    /^a label is known/,
  ],
  [
    'lists labels by name',
    (m) => ({ labels: () => [...m.labels()].sort((a, b) => (a.label < b.label ? -1 : 1)) }),
    /^labels are listed/,
  ],
  ['drops nothing', () => ({ drop: () => {} }), /^random operations/],
];

describe('the kit of the slot nvram', () => {
  it('finds nothing wrong with a memory that is passed on unchanged', () => {
    expect(nvram(() => ({}))).toEqual([]);
  });

  for (const [what, change, names] of defects)
    it(`refuses one that ${what}`, () => {
      expect(nvram(change, names)).toHaveLength(1);
    });

  it('refuses one that forgets when the power fails', () => {
    const forgetful: Board<'nvram'> = {
      ...sound(),
      reset(memory) {
        for (const { label, blocks } of memory.labels()) for (const n of blocks) memory.drop(label, n);
      },
    };
    expect(failedBy(conformsToNvram({ nvram: forgetful }), /^a crash and a halt/)).toHaveLength(1);
  });
});
