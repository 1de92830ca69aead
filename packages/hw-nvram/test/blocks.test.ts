/** Blocks that a machine keeps over its crashes. */
import { settle, type Task, us } from '@backplane/engine';
import { isBackplaneError, type Nvram } from '@backplane/slots';
import { KeptBlocks, sameBytes, type TestMachine, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { type NvramBlocksOptions, nvramBlocks } from '../src/index.ts';

interface World {
  readonly machine: TestMachine;
  readonly memory: Nvram;
  /** Runs a thread to its end. */
  run<T>(body: () => T): T;
}

function world(options: NvramBlocksOptions = {}, copyNsPerByte = 0, seed = 1): World {
  const machine = testMachine({ costs: { copyNsPerByte }, seed });
  const memory = nvramBlocks(options).create({ wrapped: new Map() } as never, machine);
  return {
    machine,
    memory,
    run<T>(body: () => T): T {
      const results: T[] = [];
      machine.engine.root.spawn(
        'test',
        (function* (): Task<void> {
          results.push(body());
          yield* settle();
        })(),
      );
      machine.engine.run();
      return results[0] as T;
    },
  };
}

const full = (value: number, length: number): Uint8Array => new Uint8Array(length).fill(value);
const codeOf = (body: () => unknown): string | undefined => {
  try {
    body();
    return undefined;
  } catch (e) {
    if (!isBackplaneError(e)) throw e;
    return e.code;
  }
};

describe('non-volatile memory for blocks', () => {
  it('keeps blocks by label and number, with the words of the label', () => {
    const { memory, run, machine } = world();
    run(() => {
      memory.tryPut('b', 7, 0, full(1, 100));
      memory.tryPut('a', 3, 10, full(2, 5));
      memory.tryPut('b', 2, 0, full(3, 4096));
      memory.tell('b', [1, 2, 2 ** 53 - 1]);
      memory.tell('nobody', [9]);
      expect(memory.labels()).toEqual([
        { label: 'b', words: [1, 2, 2 ** 53 - 1], blocks: [2, 7] },
        { label: 'a', words: [], blocks: [3] },
      ]);
      expect(memory.read('a', 3)).toEqual(Uint8Array.from([...full(0, 10), ...full(2, 5)]));
      expect(memory.read('a', 4)).toBe(undefined);
    });
    const metric = (name: string): number | undefined => machine.metric(`nvram.client.${name}`);
    expect([metric('blocks'), metric('bytes'), metric('refusals')]).toEqual([3, 100 + 15 + 4096, 0]);
  });

  it('shares its bytes with nobody', () => {
    const { memory, run } = world();
    run(() => {
      const given = full(1, 4);
      memory.tryPut('a', 0, 0, given);
      given.fill(9);
      memory.read('a', 0)?.fill(8);
      expect(memory.read('a', 0)).toEqual(full(1, 4));
    });
  });

  it('has room for whole blocks, and takes more of one that it has when it is full', () => {
    const { memory, run, machine } = world({ bytes: 2 * 1024 + 1023, blockBytes: 1024 });
    run(() => {
      const taken = [0, 1, 2].map((n) => memory.tryPut('a', n, 0, full(n, 1)));
      expect([taken, memory.blocksMax, memory.blocks]).toEqual([[true, true, false], 2, 2]);
      expect(memory.tryPut('a', 1, 1, full(7, 1023))).toBe(true);
      memory.drop('a', 0);
      expect(memory.tryPut('b', 0, 0, full(7, 1))).toBe(true);
    });
    expect(machine.metric('nvram.client.refusals')).toBe(1);
  });

  it('forgets the words of a label with its last block', () => {
    const { memory, run } = world();
    run(() => {
      memory.tryPut('a', 0, 0, full(1, 1));
      memory.tell('a', [5]);
      memory.drop('a', 0);
      memory.drop('a', 0);
      memory.tryPut('a', 1, 0, full(1, 1));
      expect(memory.labels()).toEqual([{ label: 'a', words: [], blocks: [1] }]);
    });
  });

  it('costs the processor the copying of what is moved, in and out', () => {
    const { memory, run, machine } = world({}, 100);
    const { nowNs } = machine.engine;
    run(() => {
      memory.tryPut('a', 0, 0, full(1, 4000));
      memory.tryPut('a', 0, 0, full(1, 10));
      memory.tell('a', [1, 2]);
      memory.read('a', 0);
    });
    expect(machine.engine.nowNs - nowNs).toBe(us(400 + 1 + 400) + 16 * 100);
    expect(machine.metric('nvram.client.bytesCopied')).toBe(8026);
  });

  it('refuses what cannot be kept, and to be smaller than a block', () => {
    const { memory, run } = world();
    run(() => {
      expect(codeOf(() => memory.tryPut('a', 0, 4000, full(1, 97)))).toBe('OUTSIDE_OF_BLOCK');
      memory.tryPut('a', 0, 0, full(1, 1));
      for (const words of [[-1], [0.5], [2 ** 53], Array.from({ length: 17 }, () => 0)])
        expect(codeOf(() => memory.tell('a', words))).toBe('WRONG_WORDS');
    });
    expect(codeOf(() => world({ bytes: 2048 }))).toBe('WRONG_OPTION');
  });

  it('does what a map of blocks does', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const { memory, run, machine } = world({ bytes: 8 * 1024, blockBytes: 1024 }, 0, seed);
      const model = new KeptBlocks(8, 1024);
      const random = machine.random('work');
      run(() => {
        for (let n = 0; n < 500; n++) {
          const label = 'abc'[random.below(3)] ?? '';
          const block = random.below(5);
          const at = random.below(1000);
          const what = random.below(10);
          const both = [memory, model] as const;
          if (what < 5) {
            const bytes = full(n & 0xff, random.below(1025 - at));
            const [a, b] = both.map((m) => m.tryPut(label, block, at, bytes));
            expect(a, `seed ${seed}`).toBe(b);
          } else if (what < 8) for (const m of both) m.drop(label, block);
          else for (const m of both) m.tell(label, [n]);
          expect(memory.labels(), `seed ${seed}`).toEqual(model.labels());
          const [mine, other] = both.map((m) => m.read(label, block));
          const same = mine === undefined || other === undefined ? mine === other : sameBytes(mine, other);
          expect(same, `seed ${seed}`).toBe(true);
          expect(memory.blocks).toBe(model.blocks);
        }
      });
    }
  });
});
