/** Moves bytes from one program to another through a pipe, and tells how long that took in virtual time. */
import { WaitQueue } from '@backplane/engine';
import { sun3x75 } from '@backplane/hw-machines';
import { type PipeServerOptions, pipeServer } from '@backplane/pipe-server-v';
import { pattern } from '@backplane/slots/testing';
import { asker, ByteStream, Instance } from '@backplane/uio';
import { vWorkstation } from '@backplane/v';
import { World } from './world.ts';

export interface PipeCourse {
  readonly server: PipeServerOptions;
  /** The machines of the pipe and of its reader; the writer is on `mace`. */
  readonly pipe?: 'mace' | 'thyme';
  readonly reader?: 'mace' | 'thyme';
  readonly bytes: number;
  /** What the programs do with the bytes: hand over whole blocks, or put and get them one by one. */
  readonly by: 'blocks' | 'bytes';
}

export interface PipeCourseResult {
  readonly seconds: number;
  readonly arrived: Uint8Array;
}

export function pipeCourse({
  server,
  pipe = 'mace',
  reader = 'mace',
  bytes,
  by,
}: PipeCourse): PipeCourseResult {
  const with_ = vWorkstation()
    .without('fileCache')
    .without('systemCalls')
    .with({ servers: { pipes: pipeServer(server) } });
  const w = new World({ server: null, type: sun3x75, kernel: with_ });
  const blockBytes = server.blockBytes ?? 1024;
  const { costs } = sun3x75;
  const all = pattern(bytes, 7);
  const arrived = new Uint8Array(bytes);
  return w.run(function* () {
    const { engine } = w.cluster;
    const ready = new WaitQueue<Instance>();
    const manager = w.machine(pipe).board('servers', 'servers.pipes').process;
    const startNs = engine.nowNs;
    const writing = w.machine('mace').scope.spawn(
      'writer',
      w.on('mace', function* (self) {
        const into = yield* Instance.create(asker(self), manager, { mode: 3 });
        ready.wakeAll(into);
        const stream = new ByteStream(into, costs);
        if (by === 'bytes') for (const byte of all) yield* stream.putByte(byte);
        else
          for (let at = 0; at < bytes; at += blockBytes)
            yield* into.append(all.subarray(at, at + blockBytes));
        yield* stream.close();
      }),
    );
    const into = yield* ready.wait();
    if (into === undefined) throw new Error('no pipe');
    yield* w.on(reader, function* (self) {
      const out = yield* Instance.of(asker(self), manager, into.number + 1);
      yield* out.setOwner(self.id);
      const stream = new ByteStream(out, costs);
      for (let at = 0; at < bytes; ) {
        if (by === 'bytes') arrived[at++] = yield* stream.getByte();
        else {
          const block = yield* out.read({ block: at / blockBytes, first: 0 });
          if (block === null) break;
          arrived.set(block, at);
          at += block.length;
        }
      }
      yield* out.release();
    });
    yield* writing.join();
    return { seconds: (engine.nowNs - startNs) / 1e9, arrived };
  });
}
