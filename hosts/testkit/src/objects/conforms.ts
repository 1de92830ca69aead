/** The contract of the slot `objects`, for kinds that have pairs: what goes into one end comes out of the other. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import type { KernelSpec, Stream, Streams } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { withStreams } from '../neighbours.ts';
import { Rig } from '../rig.ts';

export interface ObjectsUnderTest {
  /** The board of the kind, and what it needs besides streams. */
  readonly boards: KernelSpec;
  /** The kind, as it is asked for: `pipe`. */
  readonly kind: string;
  /** How many courses of reads and writes are drawn. Default 10. */
  readonly courses?: number;
}

class World {
  readonly rig: Rig;
  readonly streams: Streams;
  readonly read: Stream;
  readonly write: Stream;

  constructor({ boards, kind }: ObjectsUnderTest, seed = 1) {
    this.rig = new Rig({ host: withStreams().with(boards) }, { seed });
    this.streams = this.rig.board('host', 'streams');
    const { read, write } = this.streams.pair(kind);
    this.read = read;
    this.write = write;
  }

  run(body: (w: World) => Task<void>): void {
    this.rig.on('host', () => body(this));
  }

  /** Writes without waiting until nothing more is taken. Returns the bytes. */
  *fill(): Task<number> {
    let bytes = 0;
    while ((yield* kindOf(this.streams.write(this.write, filled(512, 1), true))) === 'ok') bytes += 512;
    return bytes;
  }

  ready(stream: Stream, timeoutNs = 0): Task<readonly { readonly read: boolean; readonly write: boolean }[]> {
    return this.streams.select([{ stream, read: true, write: true }], timeoutNs);
  }
}

export function conformsToObjects(under: ObjectsUnderTest): readonly Check[] {
  const tried = (body: (w: World) => Task<void>) => (): void => new World(under).run(body);
  return [
    {
      name: 'both ends say what they are: how they are open, of which kind, without offsets, and no two pairs are one object',
      run: tried(function* (w) {
        same('how', [w.read.object.how.read ?? false, w.write.object.how.write ?? false], [true, true]);
        for (const end of [w.read, w.write]) {
          same('kind', end.object.ref.kind, under.kind);
          same('seekable', end.object.traits.seekable, false);
        }
        const other = w.streams.pair(under.kind);
        const identities = new Set<string>();
        for (const s of [w.read, w.write, other.read, other.write])
          identities.add((yield* s.object.attributes()).identity);
        same('identities', identities.size, 2);
      }),
    },
    {
      name: 'a read brings what was written, up to what it asks for, and does not wait for more',
      run: tried(function* (w) {
        yield* w.streams.write(w.write, pattern(100, 1));
        same('a part', digest(yield* w.streams.read(w.read, 30)), digest(pattern(100, 1).subarray(0, 30)));
        same('the rest', digest(yield* w.streams.read(w.read, 1000)), digest(pattern(100, 1).subarray(30)));
      }),
    },
    {
      name: 'a read of nothing waits until something is written; if it is not to wait, it is wouldBlock',
      run: tried(function* (w) {
        same('not to wait', yield* kindOf(w.streams.read(w.read, 10, true)), 'wouldBlock');
        const reading = w.rig.spawn('host', w.streams.read(w.read, 10));
        yield* sleep(seconds(3));
        holds('it waits', !reading.ended);
        yield* w.streams.write(w.write, filled(4, 7));
        same('read', digest(yield* reading.join()), digest(filled(4, 7)));
      }),
    },
    {
      name: 'a write of more than there is room for waits for a reader, and nothing is lost',
      run: tried(function* (w) {
        const bytes = pattern(50_000, 1);
        const writing = w.rig.spawn('host', w.streams.write(w.write, bytes));
        yield* sleep(seconds(3));
        holds('it waits', !writing.ended);
        const got: number[] = [];
        while (got.length < bytes.length) got.push(...(yield* w.streams.read(w.read, 3000)));
        same('written', yield* writing.join(), bytes.length);
        same('read', digest(Uint8Array.from(got)), digest(bytes));
      }),
    },
    {
      name: 'a full one is wouldBlock for a write that is not to wait, and takes more when something was read',
      run: tried(function* (w) {
        holds('it holds something', (yield* w.fill()) > 0);
        yield* w.streams.read(w.read, 1 << 20);
        same('a write', yield* kindOf(w.streams.write(w.write, filled(512, 2), true)), 'ok');
      }),
    },
    {
      name: 'when the last writer has closed, a reader gets what is left, and then the end',
      run: tried(function* (w) {
        const shared = w.streams.share(w.write);
        yield* w.streams.write(w.write, filled(10, 1));
        yield* w.streams.close(w.write);
        same('what is left', (yield* w.streams.read(w.read, 100)).length, 10);
        same('one writer is left', yield* kindOf(w.streams.read(w.read, 1, true)), 'wouldBlock');
        yield* w.streams.close(shared);
        for (let i = 0; i < 3; i++) same('the end', (yield* w.streams.read(w.read, 100)).length, 0);
      }),
    },
    {
      name: 'a reader that waits gets the end when the writer closes',
      run: tried(function* (w) {
        const reading = w.rig.spawn('host', w.streams.read(w.read, 10));
        yield* sleep(ms(100));
        yield* w.streams.close(w.write);
        same('the end', (yield* reading.join()).length, 0);
      }),
    },
    {
      name: 'without a reader a write is brokenPipe, also one that waits',
      run: tried(function* (w) {
        yield* w.fill();
        const writing = w.rig.spawn('host', kindOf(w.streams.write(w.write, filled(100_000, 1))));
        yield* sleep(ms(100));
        yield* w.streams.close(w.read);
        same('one that waits', yield* writing.join(), 'brokenPipe');
        same('another', yield* kindOf(w.streams.write(w.write, filled(1, 1))), 'brokenPipe');
      }),
    },
    {
      name: 'poll tells which end is ready, and wakes who waits for it',
      run: tried(function* (w) {
        same(
          'an empty one',
          [(yield* w.ready(w.read))[0]?.read ?? null, (yield* w.ready(w.write))[0]?.write ?? null],
          [false, true],
        );
        const selecting = w.rig.spawn('host', w.ready(w.read, seconds(1000)));
        yield* sleep(ms(100));
        yield* w.fill();
        same('something to read', (yield* selecting.join())[0]?.read ?? null, true);
        same('a full one', (yield* w.ready(w.write))[0]?.write ?? null, false);
        const room = w.rig.spawn('host', w.ready(w.write, seconds(1000)));
        yield* sleep(ms(100));
        yield* w.streams.read(w.read, 1 << 20);
        same('room to write', (yield* room.join())[0]?.write ?? null, true);
        yield* w.streams.close(w.write);
        same('the end is something to read', (yield* w.ready(w.read))[0]?.read ?? null, true);
      }),
    },
    {
      name: 'whatever the sizes of reads and writes, what comes out is what went in',
      run: () =>
        eachCourse(under.courses ?? 10, (seed) =>
          new World(under, seed).run(function* (w) {
            const random = w.rig.cluster.engine.random('course of a check');
            const bytes = pattern(20_000 + random.below(20_000), seed);
            const writing = w.rig.spawn(
              'host',
              (function* (): Task<void> {
                for (let at = 0; at < bytes.length; ) {
                  const count = 1 + random.below(random.chance(0.2) ? 9000 : 300);
                  at += yield* w.streams.write(w.write, bytes.subarray(at, at + count));
                  if (random.chance(0.3)) yield* sleep(random.below(ms(5)));
                }
                yield* w.streams.close(w.write);
              })(),
            );
            const got: number[] = [];
            for (;;) {
              const part = yield* w.streams.read(w.read, 1 + random.below(2000));
              if (part.length === 0) break;
              got.push(...part);
              if (random.chance(0.3)) yield* sleep(random.below(ms(5)));
            }
            yield* writing.join();
            same('what came out', digest(Uint8Array.from(got)), digest(bytes));
          }),
        ),
    },
  ];
}
