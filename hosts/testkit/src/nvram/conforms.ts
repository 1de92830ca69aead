/** The contract of the slot `nvram`, clause by clause. */
import { type RandomStream, settle, type Task } from '@backplane/engine';
import { type Board, type KeptLabel, type Nvram, nvramWordsMax } from '@backplane/slots';
import { KeptBlocks } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { alone } from '../neighbours.ts';
import { Rig } from '../rig.ts';

export interface NvramUnderTest {
  /** With room for four blocks at least. */
  readonly nvram: Board<'nvram'>;
  /** How many courses of operations are drawn. Default 20. */
  readonly courses?: number;
}

class World {
  readonly #rig: Rig;

  constructor(nvram: Board<'nvram'>, seed = 1) {
    this.#rig = new Rig({ client: alone().with({ nvram }) }, { seed });
  }

  /** Of this boot. */
  get memory(): Nvram {
    return this.#rig.board('client', 'nvram');
  }

  get random(): RandomStream {
    return this.#rig.cluster.engine.random('operations of a check');
  }

  /** In a thread of the machine, which is charged for moving bytes. */
  run<T>(body: (memory: Nvram) => T): T {
    const { memory } = this;
    return this.#rig.on('client', function* (): Task<T> {
      const result = body(memory);
      yield* settle();
      return result;
    });
  }

  crash(): void {
    this.#rig.reboot('client');
  }

  halt(): void {
    const machine = this.#rig.machine('client');
    this.#rig.drive(() => machine.halt());
    this.#rig.boot('client');
  }
}

/** Everything that is kept, with its bytes. */
const kept = (m: Nvram): string[] =>
  m.labels().map(({ label, words, blocks }) => {
    const contents = blocks.map((n) => `${n}: ${digest(m.read(label, n) ?? filled(0, 0))}`);
    return `${label} [${words.join()}] ${contents.join('; ')}`;
  });

const names = (labels: readonly KeptLabel[]): string[] => labels.map(({ label }) => label);

/** Any of the operations, on both. */
function step(random: RandomStream, m: Nvram, model: Nvram): void {
  const label = random.pick(['a', 'b', 'b/c', '']);
  const block = random.below(6);
  const what = random.below(10);
  if (what < 6) {
    const at = random.below(m.blockBytes);
    const bytes = filled(random.below(m.blockBytes - at + 1), random.below(256));
    same('there is room', m.tryPut(label, block, at, bytes), model.tryPut(label, block, at, bytes));
  } else if (what < 8) {
    m.drop(label, block);
    model.drop(label, block);
  } else {
    const words = Array.from({ length: random.below(nvramWordsMax + 1) }, () => random.below(1 << 30));
    m.tell(label, words);
    model.tell(label, words);
  }
}

/** Blocks under one label, as many as there is room for. */
function fill(m: Nvram): void {
  for (let n = 0; n < m.blocksMax; n++) holds(`room for block ${n}`, m.tryPut('full', n, 0, filled(1, 1)));
}

export function conformsToNvram({ nvram, courses = 20 }: NvramUnderTest): readonly Check[] {
  const alive = (body: (m: Nvram) => void) => (): void => new World(nvram).run(body);
  return [
    {
      name: 'a block is read as it was put, and is as long as that reaches; what was left out is zeros',
      run: alive((m) => {
        m.tryPut('a', 3, 10, filled(5, 7));
        m.tryPut('a', 3, 2, filled(4, 9));
        const expected = [0, 0, 9, 9, 9, 9, 0, 0, 0, 0, 7, 7, 7, 7, 7];
        same('bytes', [...(m.read('a', 3) ?? [])], expected);
        same('of another label', m.read('b', 3) === undefined, true);
        same('of another block', m.read('a', 2) === undefined, true);
      }),
    },
    {
      name: 'bytes are shared with nobody',
      run: alive((m) => {
        const given = filled(4, 1);
        m.tryPut('a', 0, 0, given);
        given.fill(2);
        m.read('a', 0)?.fill(3);
        same('bytes', [...(m.read('a', 0) ?? [])], [1, 1, 1, 1]);
      }),
    },
    {
      name: 'there is room for as many blocks as it says, however short; one that is there can be written in a full memory',
      run: alive((m) => {
        fill(m);
        same('blocks', m.blocks, m.blocksMax);
        const before = kept(m);
        same('room for one more', m.tryPut('more', 0, 0, filled(1, 2)), false);
        same('what is kept', kept(m), before);
        same('room in a block', m.tryPut('full', 0, 0, filled(m.blockBytes, 3)), true);
        m.drop('full', 0);
        same('room again', m.tryPut('more', 0, 0, filled(m.blockBytes, 4)), true);
      }),
    },
    {
      name: 'a label is known as long as it has blocks, and its words go with the last one',
      run: alive((m) => {
        m.tell('a', [1]);
        same('labels', names(m.labels()), []);
        m.tryPut('a', 0, 0, filled(1, 1));
        m.tryPut('a', 1, 0, filled(1, 1));
        m.tell('a', [2 ** 53 - 1, 0]);
        m.drop('a', 0);
        same('words', m.labels()[0]?.words ?? null, [2 ** 53 - 1, 0]);
        m.drop('a', 1);
        same('labels', names(m.labels()), []);
        m.tryPut('a', 1, 0, filled(1, 1));
        same('words', m.labels()[0]?.words ?? null, []);
      }),
    },
    {
      name: 'labels are listed in the order in which they became known, blocks by number',
      run: alive((m) => {
        for (const [label, n] of [
          ['z', 2],
          ['a', 0],
          ['z', 1],
          ['m', 0],
        ] as const)
          m.tryPut(label, n, 0, filled(1, 1));
        m.drop('a', 0);
        m.tryPut('a', 5, 0, filled(1, 1));
        same('labels', names(m.labels()), ['z', 'm', 'a']);
        same('blocks', m.labels()[0]?.blocks ?? null, [1, 2]);
      }),
    },
    {
      name: 'a crash and a halt take nothing of it',
      run: () => {
        const w = new World(nvram);
        const before = w.run((m) => {
          m.tryPut('a', 0, 100, filled(50, 1));
          m.tryPut('b', 9, 0, filled(m.blockBytes, 2));
          m.tell('b', [4, 5]);
          return kept(m);
        });
        w.crash();
        same('after a crash', w.run(kept), before);
        w.halt();
        same('after a halt', w.run(kept), before);
        w.run((m) => m.drop('a', 0));
        w.crash();
        same(
          'what was dropped',
          w.run((m) => names(m.labels())),
          ['b'],
        );
      },
    },
    {
      name: 'random operations leave what they leave in a map of blocks, over crashes',
      run: () =>
        eachCourse(courses, (seed) => {
          const w = new World(nvram, seed);
          const { random } = w;
          const model = new KeptBlocks(w.memory.blocksMax, w.memory.blockBytes);
          for (let boot = 0; boot < 3; boot++) {
            w.run((m) => {
              for (let i = 0; i < 60; i++) step(random, m, model);
            });
            same('what is kept', w.run(kept), kept(model));
            w.crash();
            same('what is kept after a crash', w.run(kept), kept(model));
          }
        }),
    },
  ];
}
