/** Files of a storage that are overwritten whole, one after another, by a pattern of chance. */
import type { RandomStream } from '@backplane/engine';

export const patterns = ['uniform', 'hot-and-cold'] as const;
export type Pattern = (typeof patterns)[number];

/** One file of so many is hot, and all hot ones together take this share of the writes. */
const oneHotIn = 10;
const hotShare = 0.9;

/** Which of the files is overwritten next. The hot ones were made among the others. */
export function pick(pattern: Pattern, files: number, random: RandomStream): number {
  if (pattern === 'uniform') return random.below(files);
  const hot = Math.ceil(files / oneHotIn);
  if (random.chance(hotShare)) return random.below(hot) * oneHotIn;
  const cold = random.below(files - hot);
  return cold + 1 + Math.floor(cold / (oneHotIn - 1));
}
