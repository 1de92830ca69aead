/** Images with something changed: bytes, words, whole sectors, sectors put elsewhere, an end cut off or added. */
import type { RandomStream } from '@backplane/engine';
import type { StoreFormat } from '@backplane/slots';
import { Bytes } from './seeded.ts';

/** Sectors in which the format has structures: changes elsewhere are not worth much. */
export const structured = (format: StoreFormat, image: Bytes): readonly number[] => [
  ...new Set([...format.dump(image)].map((r) => r.sector)),
];

export function mutated(image: Bytes, sectors: readonly number[], random: RandomStream): Bytes {
  const bytes = image.bytes.slice();
  const pick = (): number => (random.chance(0.9) ? random.pick(sectors) : random.below(image.sectors));
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = pick() * 512;
    const within = at + random.below(random.chance(0.5) ? 100 : 512);
    switch (random.below(5)) {
      case 0:
        bytes[within] = (bytes[within] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes[within] = random.below(256);
        break;
      case 2:
        // A word that is small, or all ones, or just wrong: counts and addresses.
        new DataView(bytes.buffer).setUint32(
          within & ~3,
          random.pick([0, 1, 7, 0xffff_ffff, 0x8000_0000, random.below(image.sectors)]),
        );
        break;
      case 3:
        bytes.fill(random.pick([0, 0xff]), at, at + 512);
        break;
      default: {
        const from = pick() * 512;
        bytes.copyWithin(at, from, from + 512);
      }
    }
  }
  if (random.chance(0.1)) return new Bytes(bytes.slice(0, 512 * (1 + random.below(image.sectors))));
  if (random.chance(0.05)) {
    const longer = new Uint8Array(bytes.length + 512 * random.below(64));
    longer.set(bytes);
    return new Bytes(longer);
  }
  return new Bytes(bytes);
}
