import { describe, expect, it } from 'vitest';
import { Queue, type Queued } from '../src/queue.ts';
import { forSeeds, type Seeded } from './seeded.ts';

interface Item extends Queued {
  readonly id: number;
}

/** The obvious model: a list in order of arrival, searched for the earliest. */
class Model {
  private waiting: { timeNs: number; item: Item }[] = [];
  get length(): number {
    return this.waiting.length;
  }
  push(timeNs: number, item: Item): void {
    this.waiting.push({ timeNs, item });
  }
  cancel(item: Item): void {
    this.waiting = this.waiting.filter((w) => w.item !== item);
  }
  peekNs(): number {
    return Math.min(Infinity, ...this.waiting.map((w) => w.timeNs));
  }
  pop(): Item | undefined {
    const first = this.waiting.find((w) => w.timeNs === this.peekNs());
    this.waiting = this.waiting.filter((w) => w !== first);
    return first?.item;
  }
}

/** As many nodes as the heap has room for. */
const room = (queue: Queue<Item>): number => (queue as unknown as { capacity: number }).capacity;

/** Does the same to the queue and to the model, and gives what each of them showed. */
function exercise(random: Seeded, steps: number, span: number, cancels: number): [number[], number[]] {
  const queue = new Queue<Item>();
  const model = new Model();
  const seen: number[] = [];
  const expected: number[] = [];
  const items: Item[] = Array.from({ length: 120 }, (_, id) => ({ slot: -1, id }));
  let nowNs = 0;
  const take = (): void => {
    expected.push(model.peekNs(), model.pop()?.id ?? -1, model.length);
    nowNs = queue.peekNs();
    seen.push(nowNs, queue.pop().id, queue.length);
  };
  for (let i = 0; i < steps; i++) {
    const item = random.pick(items);
    const timeNs = nowNs + random.below(span);
    if (item.slot < 0 && random.unit() < 0.6) {
      queue.push(timeNs, item);
      model.push(timeNs, item);
    } else if (item.slot >= 0 && random.unit() < cancels) {
      queue.cancel(item);
      model.cancel(item);
    } else if (model.length > 0) {
      take();
    }
  }
  while (model.length > 0) take();
  return [
    [...seen, queue.peekNs()],
    [...expected, Infinity],
  ];
}

describe('event queue', () => {
  it('gives items in order of time, and equal times first in, first out, as a sorted list does', () => {
    forSeeds(200, (random) => {
      const [seen, expected] = exercise(random, 300, 1_000_000, 0.1);
      expect(seen).toEqual(expected);
    });
  });

  it('does so among many equal times', () => {
    forSeeds(200, (random) => {
      const [seen, expected] = exercise(random, 300, 4, 0.1);
      expect(seen).toEqual(expected);
    });
  });

  it('does so when most items are taken back', () => {
    forSeeds(200, (random) => {
      const [seen, expected] = exercise(random, 600, 50, 0.9);
      expect(seen).toEqual(expected);
    });
  });

  it('does so after it has grown', () => {
    const queue = new Queue<Item>();
    const items = Array.from({ length: 5000 }, (_, id): Item => ({ slot: -1, id }));
    for (const item of items) queue.push((item.id * 7919) % 100, item);
    const order = items.map((item) => (queue.peekNs() < Infinity ? queue.pop() : item).id);
    const sorted = [...items].sort((a, b) => ((a.id * 7919) % 100) - ((b.id * 7919) % 100) || a.id - b.id);
    expect(order).toEqual(sorted.map((item) => item.id));
  });

  it('does not grow when an item is set and taken back a million times', () => {
    const queue = new Queue<Item>();
    const items = Array.from({ length: 20 }, (_, id): Item => ({ slot: -1, id }));
    for (const item of items) queue.push(1e9 + item.id, item);
    const timer: Item = { slot: -1, id: 99 };
    for (let i = 0; i < 1_000_000; i++) {
      queue.push(5e8 + i, timer);
      queue.cancel(timer);
    }
    expect(room(queue)).toBeLessThanOrEqual(256);
    expect(items.map(() => (queue.peekNs() > 0 ? queue.pop().id : -1))).toEqual(items.map((item) => item.id));
  });
});
