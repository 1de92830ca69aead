import { describe, expect, test } from 'vitest';
import { joinedRegions, WriteWatches } from '../src/index.ts';

describe('watches of the stores into an address space', () => {
  test('each tells the pages stored into since it began, once and in ascending order', () => {
    const watches = new WriteWatches();
    watches.stored(1);
    const watch = watches.watch();
    for (const page of [10, 9, 2, 10]) watches.stored(page);
    expect(watch.taken()).toEqual([2, 9, 10]);
    expect(watch.taken()).toEqual([]);
    watches.stored(9);
    expect(watch.taken()).toEqual([9]);
  });

  test('what one has taken the others still have, and one that has ended sees nothing more', () => {
    const watches = new WriteWatches();
    const [a, b] = [watches.watch(), watches.watch()];
    watches.stored(4);
    expect(a.taken()).toEqual([4]);
    a.end();
    watches.stored(3);
    expect(a.taken()).toEqual([]);
    expect(b.taken()).toEqual([3, 4]);
  });
});

describe('regions as they are told', () => {
  const region = (first: number, pages: number, writable: boolean) => ({ first, pages, writable });

  test('neighbours of one kind are one region', () => {
    const pages = [region(3, 1, true), region(4, 2, true), region(6, 1, true)];
    expect(joinedRegions(pages)).toEqual([region(3, 4, true)]);
  });

  test('a gap, or another right to write, begins a new one', () => {
    const apart = [region(0, 1, true), region(2, 1, true), region(3, 2, false), region(5, 1, true)];
    expect(joinedRegions(apart)).toEqual(apart);
  });

  test('they are left as they were given, and have nothing else that those had', () => {
    const given = [{ ...region(0, 1, true), name: 'text' }, region(1, 1, true)];
    expect(joinedRegions(given)).toEqual([region(0, 2, true)]);
    expect(given[0]).toEqual({ ...region(0, 1, true), name: 'text' });
  });
});
