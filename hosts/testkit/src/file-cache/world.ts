/** A file server and two hosts that use its files, all with the file cache under test. */
import { seconds, sleep, type Task, type Thread } from '@backplane/engine';
import type {
  Attributes,
  Credentials,
  NameOps,
  NameView,
  OpenHow,
  Storage,
  Stream,
  Streams,
  TwoNameOp,
} from '@backplane/slots';
import { openingFiles, storage } from '../neighbours.ts';
import { Rig } from '../rig.ts';
import type { Bounds } from './under-test.ts';

export interface WorldOptions {
  readonly seed?: number;
  /** What survives a crash of the server; in memory when left out. */
  readonly serverBoards?: Bounds['boards'];
  /** A domain that the second host serves. */
  readonly hostTwoServes?: string;
}
export type HostName = 'server' | 'one' | 'two';

export class World {
  readonly rig: Rig;
  readonly #staleNs: number;

  constructor(
    { boards, staleSeconds }: Pick<Bounds, 'boards' | 'staleSeconds'>,
    { seed = 1, serverBoards, hostTwoServes }: WorldOptions = {},
  ) {
    const kernel = openingFiles().with(boards);
    const server = kernel.with(serverBoards ?? { storage: { '/': storage() } });
    const two =
      hostTwoServes === undefined ? kernel : kernel.with({ storage: { [hostTwoServes]: storage() } });
    this.rig = new Rig({ server, one: kernel, two }, { seed });
    this.#staleNs = seconds(staleSeconds);
  }

  get storage(): Storage {
    return this.rig.board('server', 'storage');
  }

  drive<T>(body: () => Task<T>): T {
    return this.rig.drive(body);
  }

  /** A thread of a host. */
  start<T>(host: HostName, body: (files: Files) => Task<T>): Thread<T> {
    return this.rig.spawn(
      host,
      body(new Files(this.rig.board(host, 'streams'), this.rig.board(host, 'naming').view())),
    );
  }

  /** A thread of a host, to its end. */
  *at<T>(host: HostName, body: (files: Files) => Task<T>): Task<T> {
    return yield* this.start(host, body).join();
  }

  /** Until what was changed is seen everywhere, where that takes time. */
  *settled(): Task<void> {
    if (this.#staleNs > 0) yield* sleep(this.#staleNs + 1);
  }
}

const superUser: Credentials = { uid: 0, gid: 0, groups: [] };

/** Files as the threads of one host use them. */
export class Files {
  readonly streams: Streams;
  readonly view: NameView;
  who: Credentials = superUser;

  constructor(streams: Streams, view: NameView) {
    this.streams = streams;
    this.view = view;
  }

  *open(path: string, how: OpenHow): Task<Stream> {
    return yield* this.streams.open(this.view, path, how, this.who);
  }

  *put(path: string, bytes: Uint8Array): Task<void> {
    const s = yield* this.open(path, { write: true, create: true, truncate: true, mode: 0o666 });
    yield* this.streams.writeAt(s, 0, bytes);
    yield* this.streams.close(s);
  }

  *get(path: string): Task<Uint8Array> {
    const s = yield* this.open(path, { read: true });
    const bytes = yield* this.streams.readAt(s, 0, 1 << 20);
    yield* this.streams.close(s);
    return bytes;
  }

  *name<K extends keyof NameOps>(path: string, op: K, argument: NameOps[K]['in']): Task<NameOps[K]['out']> {
    return yield* this.streams.name(this.view, path, op, argument, this.who);
  }

  *stat(path: string, follow = true): Task<Attributes> {
    return yield* this.name(path, 'stat', { follow });
  }

  *two(op: TwoNameOp, first: string, second: string): Task<void> {
    yield* this.streams.nameTwo(this.view, op, first, second, this.who);
  }
}
