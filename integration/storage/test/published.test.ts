/** What the storage on a real drive, behind the real cache, with the costs of a real machine comes to. */
import { charge, settle, type Task } from '@backplane/engine';
import type { OfsOptions } from '@backplane/fs-ofs';
import { sun3x180, zeroCost } from '@backplane/hw-machines';
import { Busy, type FileId, type NewFile } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { Server } from './server.ts';

const plain: NewFile = { type: 'file', mode: 0o644, uid: 0, gid: 0 };
const megabyte = 1_048_576;

/** A file of 2 MB on a disk, and nothing of it in the cache. */
function withFile(server: Server): FileId {
  const file = server.run(
    (function* (): Task<FileId> {
      const f = yield* server.storage.create(server.storage.root, 'large', plain);
      for (let at = 0; at < 2 * megabyte; at += 65_536)
        yield* server.storage.write(f, at, new Uint8Array(65_536).fill(at >> 16), 'delayed');
      return f;
    })(),
  );
  server.reboot();
  return file;
}

describe('a Sun-3 file server with an Eagle', () => {
  // Nelson, Welch and Ousterhout 1988: 224 KB/s, "only one block per disk revolution".
  it('reads a file from its disk at 224 KB/s, one 4 KB block at a time', () => {
    const server = new Server({ type: sun3x180, drive: { profile: 'eagle' } });
    const f = withFile(server);
    const { trapNs, blockOperationNs, copyNsPerByte } = sun3x180.costs;
    const { engine } = server.cluster;
    const seconds = server.run(
      (function* (): Task<number> {
        yield* server.storage.read(f, 0, 4096);
        const startNs = engine.nowNs;
        for (let at = 4096; at < 2 * megabyte; at += 4096) {
          charge(trapNs, Busy.kernel);
          const bytes = yield* server.storage.read(f, at, 4096);
          // The program's copy.
          charge(blockOperationNs + Math.round(copyNsPerByte * bytes.length), Busy.files);
          yield* settle();
        }
        return (engine.nowNs - startNs) / 1e9;
      })(),
    );
    const kilobytesPerSecond = (2 * 1024 - 4) / seconds;
    expect(kilobytesPerSecond / 224).toBeGreaterThan(0.95);
    expect(kilobytesPerSecond / 224).toBeLessThan(1.05);
  });

  it('reads it faster when blocks are left out between those of a file', () => {
    const rate = (interleaveBlocks: number): number => {
      const server = new Server({ type: sun3x180, drive: { profile: 'eagle' }, ofs: { interleaveBlocks } });
      const f = withFile(server);
      const startNs = server.cluster.engine.nowNs;
      server.run(
        (function* (): Task<void> {
          for (let at = 0; at < megabyte; at += 4096) {
            const bytes = yield* server.storage.read(f, at, 4096);
            charge(Math.round(sun3x180.costs.copyNsPerByte * bytes.length), Busy.files);
            yield* settle();
          }
        })(),
      );
      return 1024 / ((server.cluster.engine.nowNs - startNs) / 1e9);
    };
    expect(rate(1)).toBeGreaterThan(2 * rate(0));
  });
});

describe('small files on a Wren IV', () => {
  const perFile = (ofs: OfsOptions) => {
    const server = new Server({ type: zeroCost, drive: { profile: 'wren-iv' }, ofs });
    const files = 600;
    const before = server.cluster.metrics();
    const seconds = server.run(
      (function* (): Task<number> {
        const startNs = server.cluster.engine.nowNs;
        for (let i = 0; i < files; i++) {
          const f = yield* server.storage.create(server.storage.root, `f${i}`, plain);
          yield* server.storage.write(f, 0, new Uint8Array(1024).fill(i), 'delayed');
        }
        yield* server.storage.sync();
        return (server.cluster.engine.nowNs - startNs) / 1e9;
      })(),
    );
    const after = server.cluster.metrics();
    const of = (name: string) => (after[`disk.server.${name}`] ?? 0) - (before[`disk.server.${name}`] ?? 0);
    return { accesses: (of('reads') + of('writes')) / files, perSecond: files / seconds };
  };

  it('cost three accesses each with metadata written through, and so come to 10 to 18 files a second', () => {
    const { accesses, perSecond } = perFile({ metadata: 'synchronous', placement: 'grouped' });
    expect(accesses).toBeGreaterThan(3);
    expect(accesses).toBeLessThan(3.3);
    // Rosenblum and Ousterhout 1991: a tenth of the 170 of the log; 15.6 at a disk that is 85 % busy.
    expect(perSecond).toBeGreaterThan(9);
    expect(perSecond).toBeLessThan(18);
  });

  it('cost little more than one with delayed metadata', () => {
    const { accesses, perSecond } = perFile({});
    expect(accesses).toBeLessThan(1.2);
    expect(perSecond).toBeGreaterThan(25);
  });
});
