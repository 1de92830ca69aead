import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Board,
  type Disk,
  defineComponent,
  defineKernel,
  type KernelSpec,
  type Medium,
  type MemoryPolicy,
  type Nic,
  type OptionsSchema,
  slotOfInstance,
  type Transport,
} from '../src/index.ts';
import { testMachine } from '../src/testing.ts';

const policy: MemoryPolicy = {
  register: () => () => {},
  tryClaim: () => undefined,
  *claim() {
    return undefined;
  },
};

/** A schema by hand: one option, a share between 0 and 1. */
const share: OptionsSchema<{ readonly share?: number }, { readonly share: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      const given = (value as { readonly share?: unknown }).share ?? 0.5;
      if (typeof given !== 'number' || given < 0 || given > 1)
        return { issues: [{ message: 'a share is between 0 and 1', path: ['share'] }] };
      return { value: { share: given } };
    },
  },
};

const bare = { name: 'test', version: '1.0.0', contract: 1 } as const;

describe('a component', () => {
  it('makes boards with its options, defaults filled in', () => {
    const make = defineComponent({
      ...bare,
      slot: 'memoryPolicy',
      requires: [],
      options: share,
      create: () => policy,
    });
    expect([make().options, make({ share: 0.25 }).options]).toEqual([{ share: 0.5 }, { share: 0.25 }]);
    expect(make().create({} as never, testMachine())).toBe(policy);
  });

  it('refuses wrong options, naming the board and the option', () => {
    const make = defineComponent({
      ...bare,
      slot: 'memoryPolicy',
      requires: [],
      options: share,
      create: () => policy,
    });
    expect(() => make({ share: 7 })).toThrowError('test: option "share": a share is between 0 and 1');
  });

  it('without options refuses any', () => {
    const make = defineComponent({ ...bare, slot: 'memoryPolicy', requires: [], create: () => policy });
    expect(() => make({ share: 1 } as never)).toThrowError(/no options/);
  });

  it('is handed exactly what it required, as its types say', () => {
    defineComponent({
      ...bare,
      slot: 'memoryPolicy',
      requires: ['transport', 'naming?', 'disk', 'nic?'],
      create: (granted, _options, machine) => {
        expectTypeOf(granted.transport).toEqualTypeOf<Transport>();
        expectTypeOf(granted.disk).toEqualTypeOf<ReadonlyMap<string, Disk>>();
        expectTypeOf(granted.nic).toEqualTypeOf<ReadonlyMap<string, Nic>>();
        expectTypeOf(granted.naming).toExtend<object | undefined>();
        expectTypeOf(machine.host).toExtend<number>();
        // @ts-expect-error a slot that was not asked for
        granted.recovery;
        return policy;
      },
    });
    defineComponent({
      ...bare,
      slot: 'memoryPolicy',
      // @ts-expect-error there is no such slot
      requires: ['transprot'],
      create: () => policy,
    });
    defineComponent({
      ...bare,
      slot: 'memoryPolicy',
      // @ts-expect-error boards that register are never required
      requires: ['fileCache'],
      create: () => policy,
    });
    defineComponent({
      ...bare,
      slot: 'memoryPolicy',
      requires: [],
      // @ts-expect-error a board of another slot
      create: (): Pick<Medium, 'bitsPerSecond'> => ({ bitsPerSecond: 1 }),
    });
  });
});

describe('a kernel', () => {
  const make = defineComponent({ ...bare, slot: 'memoryPolicy', requires: [], create: () => policy });
  const disk = (): Board<'disk'> =>
    defineComponent({ ...bare, slot: 'disk', requires: [], create: () => ({}) as Disk })();

  it('names its instances: alone, numbered, by key, by path', () => {
    const kernel = defineKernel('k', { memoryPolicy: make(), disk: [disk(), disk()] });
    expect([...kernel.boards.keys()]).toEqual(['memoryPolicy', 'disk.0', 'disk.1']);
    expect([...defineKernel('k', { disk: { array: disk(), '/a': disk() } }).boards.keys()]).toEqual([
      'disk.array',
      'disk:/a',
    ]);
    expect(['memoryPolicy', 'disk.0', 'storage:/src'].map(slotOfInstance)).toEqual([
      'memoryPolicy',
      'disk',
      'storage',
    ]);
  });

  it('swaps a slot as a whole, and leaves the kernel that it came from alone', () => {
    const kernel = defineKernel('k', { memoryPolicy: make(), disk: [disk(), disk()] });
    const swapped = kernel.with({ disk: disk() });
    expect([...swapped.boards.keys()]).toEqual(['memoryPolicy', 'disk']);
    expect([...kernel.without('disk').boards.keys()]).toEqual(['memoryPolicy']);
    expect(kernel.boards.size).toBe(3);
  });

  it('does not compile with a board in the wrong slot', () => {
    const wrong: KernelSpec = {
      // @ts-expect-error a memory policy is no transport
      transport: make(),
    };
    expect(wrong).toBeDefined();
  });
});
