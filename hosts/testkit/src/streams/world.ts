/** Two hosts with the streams under test, on one of them a file protocol of the check. */
import type { Task, Thread } from '@backplane/engine';
import {
  authority,
  type Credentials,
  type KernelSpec,
  type NameView,
  type OpenHow,
  type Stream,
  type Streams,
  token,
} from '@backplane/slots';
import { calling, mounts } from '../neighbours.ts';
import { Rig } from '../rig.ts';
import { FilesInMemory } from './files.ts';

export const somebody: Credentials = { uid: 33, gid: 44, groups: [] };

export class World {
  readonly rig: Rig;
  readonly streams: Streams;
  readonly protocol: FilesInMemory;
  readonly view: NameView;

  constructor(boards: KernelSpec) {
    const kernel = calling().with({ naming: mounts() }).with(boards);
    this.rig = new Rig({ one: kernel, two: kernel });
    this.streams = this.rig.board('one', 'streams');
    this.protocol = new FilesInMemory('files of a check', (w) => this.streams.wake(w));
    this.streams.protocol(this.protocol);
    const naming = this.rig.board('one', 'naming');
    for (const prefix of ['/', '/m'])
      naming.export({
        prefix,
        protocol: this.protocol.protocol,
        authority: authority('check'),
        root: token(prefix),
      });
    this.view = naming.view();
  }

  get other(): Streams {
    return this.rig.board('two', 'streams');
  }

  run<T>(body: (streams: Streams) => Task<T>): T {
    return this.rig.on('one', () => body(this.streams));
  }

  start<T>(body: Task<T>): Thread<T> {
    return this.rig.spawn('one', body);
  }

  *open(name: string, how: OpenHow): Task<Stream> {
    return yield* this.streams.open(this.view, name, how, somebody);
  }
}
