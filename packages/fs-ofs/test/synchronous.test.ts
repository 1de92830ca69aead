import { sleep, type Task } from '@backplane/engine';
import type { ModelNode } from '@backplane/file-service/testing';
import { Driver } from '@backplane/file-service/testing';
import type { FileId, Storage } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { trial } from './world.ts';

/** Every path that names lead to; directories end in a slash. */
function pathsOf(directory: ModelNode, at = '/'): string[] {
  return [...directory.entries].flatMap(([name, node]) =>
    node.directory ? [`${at}${name}/`, ...pathsOf(node, `${at}${name}/`)] : [`${at}${name}`],
  );
}

function* pathsOn(s: Storage, directory: FileId = s.root, at = '/'): Task<string[]> {
  const paths: string[] = [];
  for (const { name, file } of yield* s.entries(directory)) {
    const isDirectory = (yield* s.attributes(file)).type === 'directory';
    paths.push(`${at}${name}${isDirectory ? '/' : ''}`);
    if (isDirectory) paths.push(...(yield* pathsOn(s, file, `${at}${name}/`)));
  }
  return paths;
}

describe('with metadata written through', () => {
  it('a crash takes no name back that an operation has confirmed, and brings none back', () => {
    let names = 0;
    for (let seed = 1; seed <= runs(8); seed++) {
      const w = trial.world({ metadata: 'synchronous', sectors: 3000, latencyNs: 3_000_000, seed });
      w.attach();
      const random = w.engine.random('crash');
      const driver = new Driver(() => w.storage, w.engine.random('operations'), { bytesMax: 20_000 });
      let before: string[] = [];
      w.boot.spawn(
        'driver',
        (function* (): Task<void> {
          for (;;) {
            before = pathsOf(driver.model.root);
            yield* driver.step();
            before = pathsOf(driver.model.root);
            yield* sleep(random.below(20_000_000));
          }
        })(),
      );
      w.engine.run(w.engine.nowNs + random.below(10_000_000_000));
      w.crash();
      w.attach();
      // The operation under way may have done all, nothing, or the first half: a new name, and the old one not yet gone.
      const after = pathsOf(driver.model.root);
      const seen = w.run(pathsOn(w.storage));
      const log = driver.log.slice(-3).join('; ');
      expect(
        before.filter((p) => after.includes(p) && !seen.includes(p)),
        `seed ${seed}, lost: ${log}`,
      ).toEqual([]);
      expect(
        seen.filter((p) => !after.includes(p) && !before.includes(p)),
        `seed ${seed}, back: ${log}`,
      ).toEqual([]);
      names += seen.length;
    }
    expect(names).toBeGreaterThan(30);
  });
});
