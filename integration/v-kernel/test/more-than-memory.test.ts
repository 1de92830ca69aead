/** Programs of the preset that want more memory than their host has: their pages go to a file at the file server. */
import { seconds, sleep } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { zeroCost } from '@backplane/hw-machines';
import { type Kernel, type NativeText, wellKnown } from '@backplane/slots';
import { vFileServer } from '@backplane/v';
import { ask, awaitProgram, createProgram, programLevels, startProcess } from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const pageBytes = zeroCost.pageBytes;
/** Of a machine that is small, and of one for which that is plenty. */
const framesOf = (memoryBytes: number): number => memoryBytes / pageBytes;
const small = { ...zeroCost, memoryBytes: 2 * 1024 * 1024 };

/** Writes every page, and reads it back three times; its status is how many pages were not what it had written. */
const touching = (pages: number): NativeText =>
  function* ({ memory }) {
    if (memory === null) return -1;
    let wrong = 0;
    for (let round = 1; round <= 3; round++) {
      for (let n = 0; n < pages; n++) yield* memory.write(n * pageBytes, Uint8Array.of(round, n & 0xff));
      yield* sleep(seconds(1));
      for (let n = 0; n < pages; n++) {
        const [r, low] = yield* memory.read(n * pageBytes, 2);
        if (r !== round || low !== (n & 0xff)) wrong++;
      }
    }
    return wrong;
  };

function runIn(w: World, on: string, pages: number, program: NativeText): number {
  return w.run(() =>
    w.on(on, function* (self) {
      const managers = w.group(on, wellKnown.programManagers);
      const text = w.cluster.natives.texts.add(program);
      const request = {
        text,
        pages,
        level: programLevels.indexOf('foreground'),
        start: { name: 'large', environment: new Uint8Array(0) },
      };
      const { root } = yield* ask(self, managers, createProgram, request, { beside: self.id });
      yield* ask(
        self,
        w.group(on, wellKnown.processManagers),
        startProcess,
        { process: root },
        { beside: root },
      );
      return (yield* ask(self, managers, awaitProgram, { root }, { beside: self.id })).status;
    }),
  );
}

const servers: readonly (readonly [string, Kernel])[] = [
  ['on a disk', vFileServer()],
  ['in memory', vFileServer().with({ storage: memoryStorage() })],
];

describe.each(servers)(
  'a program that wants three times the memory of its host, with files %s',
  (_, server) => {
    const pages = 3 * framesOf(small.memoryBytes);

    it('runs to its end on a workstation', () => {
      const w = new World({ workstations: ['mace'], types: [small], server });
      expect(runIn(w, 'mace', pages, touching(pages))).toBe(0);
      expect(w.cluster.metrics()['vm.pagesOut']).toBeGreaterThan(pages);
    });

    it('runs to its end on the file server itself', () => {
      const w = new World({ workstations: [], type: small, server });
      expect(runIn(w, 'allspice', pages, touching(pages))).toBe(0);
    });
  },
);

describe('a program with memory enough', () => {
  it('has none of its pages written, however long they are dirty', () => {
    const w = new World({ workstations: ['mace'], types: [small] });
    const idle: NativeText = function* ({ memory }) {
      yield* memory?.write(0, Uint8Array.of(1)) ?? sleep(0);
      yield* sleep(seconds(300));
      return 0;
    };
    expect(runIn(w, 'mace', 4, idle)).toBe(0);
    expect(w.cluster.metrics()['vm.pagesOut']).toBe(0);
  });
});
