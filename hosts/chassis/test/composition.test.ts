import { type Board, defineComponent, defineKernel, type Kernel } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { compose, offered } from '../src/index.ts';
import {
  anyType,
  diary,
  diaryFacts,
  echo,
  echoFacts,
  reader,
  readerFacts,
  reading,
  silence,
} from './world.ts';

const composeOne = (kernel: Kernel, ...others: Kernel[]): ReturnType<typeof compose> =>
  compose(
    {
      medium: silence,
      machines: [kernel, ...others].map((k, i) => ({
        name: `m${i}`,
        type: anyType,
        role: 'client',
        kernel: k,
      })),
    },
    [
      { name: 'test-diary', short: 'paper', slot: 'diary' },
      { name: '@backplane/cache-nfs', short: 'nfs', slot: 'fileCache' },
    ],
  );

/** A board with requirements that its types would not let through. */
const odd = (b: Partial<Board>): Board => ({ ...reader(), facts: readerFacts, ...b }) as Board;

const disk = (wraps: readonly string[]): Board<'disk'> => ({
  ...defineComponent({
    name: 'd',
    version: '1.0.0',
    slot: 'disk',
    contract: 1,
    requires: [],
    create: () => ({}) as never,
  })(),
  wraps,
});

describe('composition', () => {
  it('puts what is needed before what needs it, hardware first', () => {
    expect(composeOne(reading).machines[0]?.boards.map((f) => f.instance)).toEqual([
      'diary',
      'reader',
      'echo',
    ]);
  });

  it('shows the whole path to an empty slot, which boards would fit, and how to add one', () => {
    expect(() => composeOne(defineKernel('k', { echo: echo(), reader: reader() }))).toThrowError(
      expect.objectContaining({
        code: 'SLOT_EMPTY',
        data: { machine: 'm0', slot: 'diary', path: ['echo', 'diary'], candidates: ['paper'] },
        hint: expect.stringContaining('--set diary=paper'),
      }),
    );
  });

  it('shows a circle', () => {
    const kernel = defineKernel('k', {
      reader: odd({ requires: ['echo'] }) as never,
      echo: odd({ slot: 'echo', requires: ['reader'], facts: echoFacts }) as never,
    });
    expect(() => composeOne(kernel)).toThrowError(
      expect.objectContaining({ code: 'CYCLE', data: { machine: 'm0', path: ['reader', 'echo', 'reader'] } }),
    );
  });

  it('refuses a board in another slot than its own, and names the right one', () => {
    expect(() => composeOne(defineKernel('k', { echo: reader() as never, diary: diary() }))).toThrowError(
      expect.objectContaining({ code: 'WRONG_SLOT' }),
    );
  });

  it('refuses a second board where the slot takes one', () => {
    expect(() => composeOne(defineKernel('k', { diary: [diary(), diary()] as never }))).toThrowError(
      expect.objectContaining({ code: 'SLOT_TAKEN' }),
    );
  });

  it('refuses a contract outside the window, with both sides', () => {
    expect(() =>
      composeOne(defineKernel('k', { diary: diary(), reader: odd({ contract: 7 }) as never })),
    ).toThrowError(
      expect.objectContaining({
        code: 'WRONG_CONTRACT',
        data: expect.objectContaining({ contract: 7, floor: 1, current: 1 }),
      }),
    );
  });

  it('refuses an unknown slot with the nearest spelling', () => {
    const kernel = defineKernel('k', { diary: diary(), reader: odd({ requires: ['dairy'] }) as never });
    expect(() => composeOne(kernel)).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_SLOT', hint: 'Did you mean "diary"?' }),
    );
  });

  it('refuses to require what registers with a switch, and what dies earlier', () => {
    expect(() =>
      composeOne(defineKernel('k', { diary: diary(), reader: odd({ requires: ['fileCache'] }) as never })),
    ).toThrowError(expect.objectContaining({ code: 'REQUIRES_REGISTERING' }));
    expect(() =>
      composeOne(
        defineKernel('k', {
          reader: reader(),
          diary: odd({ slot: 'diary', requires: ['reader'], facts: diaryFacts }) as never,
        }),
      ),
    ).toThrowError(expect.objectContaining({ code: 'OUTLIVES' }));
  });

  it('demands a capability of the board that fills the slot', () => {
    const needy = defineKernel('k', { diary: diary(), reader: odd({ requires: ['diary+search'] }) as never });
    expect(() => composeOne(needy)).toThrowError(expect.objectContaining({ code: 'CAPABILITY_MISSING' }));
    const able = needy.with({ diary: { ...diary(), capabilities: ['search'] } as never });
    expect(composeOne(able).machines).toHaveLength(1);
  });

  it('refuses a protocol that no machine serves, and accepts it when another machine does', () => {
    const client = defineKernel('client', { diary: diary(), reader: { ...reader(), speaks: ['gossip'] } });
    const server = defineKernel('server', {
      diary: diary(),
      reader: { ...reader(), serves: [{ protocol: 'gossip' }] },
    });
    expect(() => composeOne(client)).toThrowError(
      expect.objectContaining({
        code: 'PROTOCOL_UNSERVED',
        data: expect.objectContaining({ protocol: 'gossip' }),
      }),
    );
    expect(composeOne(client, server).machines).toHaveLength(2);
  });

  it('grants a wrapped instance of its own slot, and says which name was meant when there is none', () => {
    const raid = composeOne(defineKernel('k', { disk: { array: disk(['disk.1']), 1: disk([]) } }));
    expect(raid.machines[0]?.boards.map((f) => f.instance)).toEqual(['disk.1', 'disk.array']);
    expect(() =>
      composeOne(defineKernel('k', { disk: { array: disk(['disk.2']), 1: disk([]) } })),
    ).toThrowError(expect.objectContaining({ code: 'WRAPS_NOTHING', hint: 'Did you mean "disk.1"?' }));
  });

  it('offers what another board wraps to nobody else', () => {
    const reads = odd({ requires: ['disk'] }) as never;
    const kernel = defineKernel('k', {
      disk: [disk(['disk.1']), disk(['disk.2', 'disk.3']), disk([]), disk([]), disk([])],
      reader: reads,
    });
    const [machine] = composeOne(kernel).machines;
    const fitted = machine?.boards.find((f) => f.instance === 'reader');
    expect([...(fitted?.many.get('disk') ?? [])]).toEqual([
      ['0', 'disk.0'],
      ['4', 'disk.4'],
    ]);
    expect(machine && offered(machine, 'disk').map((f) => f.instance)).toEqual(['disk.0', 'disk.4']);
  });

  it('refuses a second board that wraps the same, and two that wrap one another', () => {
    expect(() =>
      composeOne(defineKernel('k', { disk: [disk(['disk.2']), disk(['disk.2']), disk([])] })),
    ).toThrowError(
      expect.objectContaining({
        code: 'WRAPPED_TWICE',
        data: { machine: 'm0', board: 'd', instance: 'disk.2', by: ['disk.0', 'disk.1'] },
      }),
    );
    const ring = { disk: [disk(['disk.1']), disk(['disk.0'])], reader: odd({ requires: ['disk'] }) as never };
    expect(() => composeOne(defineKernel('k', ring))).toThrowError(
      expect.objectContaining({ code: 'CYCLE' }),
    );
  });

  it('checks names and host numbers of machines', () => {
    const machine = { type: anyType, role: 'client', kernel: reading };
    expect(() =>
      compose({
        medium: silence,
        machines: [
          { ...machine, name: 'a' },
          { ...machine, name: 'a' },
        ],
      }),
    ).toThrowError(/Two machines/);
    expect(() => compose({ medium: silence, machines: [{ ...machine, name: 'a', host: 200 }] })).toThrowError(
      /host number 200/,
    );
    expect(() => compose({ medium: silence, machines: [{ ...machine, name: '1st' }] })).toThrowError(
      /no name/,
    );
  });
});
