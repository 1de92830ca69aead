import { lfs, ofs } from '@backplane/crash';
import { describe, expect, it } from 'vitest';
import { hunt } from './hunt.ts';
import { plantedInDisk } from './planted-disk.ts';
import { plantedInStorage } from './planted-storage.ts';

for (const store of [ofs, lfs]) {
  describe(`bugs that were put into ${store.name}`, () => {
    for (const bug of [...plantedInStorage(store), ...plantedInDisk(store)])
      it(`finds: ${bug.name}`, () => {
        const { states, found } = hunt(bug);
        const how = found === null ? 'NOT FOUND' : `${found.violations[0]?.kind}, ${found.spec.kind}`;
        process.stdout.write(`${store.name}  ${bug.name}: ${how}, after ${states} states\n`);
        expect(found).not.toBeNull();
      });
  });

  it(`${store.name} without them passes the same tests`, () => {
    const { states, found } = hunt(store);
    process.stdout.write(
      `${store.name}  as it is: ${found === null ? 'nothing' : 'something'} after ${states} states\n`,
    );
    expect(found?.violations ?? []).toEqual([]);
  });
}
