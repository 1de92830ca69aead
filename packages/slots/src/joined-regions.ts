import type { Region } from './address-space.ts';

/** Regions as a space tells them: neighbours that may be written alike are one. In ascending order, as they are given. */
export function joinedRegions(regions: Iterable<Region>): readonly Region[] {
  const joined: Region[] = [];
  for (const { first, pages, writable } of regions) {
    const last = joined.at(-1);
    if (last !== undefined && last.first + last.pages === first && last.writable === writable)
      joined[joined.length - 1] = { ...last, pages: last.pages + pages };
    else joined.push({ first, pages, writable });
  }
  return joined;
}
