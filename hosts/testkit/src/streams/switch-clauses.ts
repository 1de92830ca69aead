/** The switch: the board for an open object, by protocol and by kind. */
import { authority, KernelError, type KernelSpec } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, holds, same } from '../check.ts';
import { FilesInMemory, KindInMemory } from './files.ts';
import { somebody, World } from './world.ts';

const throws = (f: () => unknown): boolean => {
  try {
    f();
    return false;
  } catch {
    return true;
  }
};

const device = { elsewhere: { kind: 'gadget', protocol: 'x', authority: authority('check'), id: 7 } };

export const switchClauses = (boards: KernelSpec): readonly Check[] => [
  {
    name: 'one board for each protocol and for each kind: a second one of its name is an error',
    run: () => {
      const w = new World(boards);
      holds(
        'a second protocol',
        throws(() => w.streams.protocol(new FilesInMemory('files of a check', () => {}))),
      );
      w.streams.protocol(new FilesInMemory('another', () => {}));
      w.streams.kind(new KindInMemory('gadget', { pairs: false }));
      holds(
        'a second kind',
        throws(() => w.streams.kind(new KindInMemory('gadget', { pairs: false }))),
      );
    },
  },
  {
    name: 'a registration that is taken back leaves room for another; taking it back again does nothing',
    run: () => {
      const w = new World(boards);
      const kind = new KindInMemory('gadget', { pairs: true });
      const undo = w.streams.kind(kind);
      undo();
      w.streams.kind(kind);
      undo();
      holds('still there', !throws(() => w.streams.pair('gadget')));
      const protocol = new FilesInMemory('another', () => {});
      const undoProtocol = w.streams.protocol(protocol);
      undoProtocol();
      w.streams.protocol(protocol);
      undoProtocol();
      holds(
        'still there',
        throws(() => w.streams.protocol(new FilesInMemory('another', () => {}))),
      );
    },
  },
  {
    name: 'an open that meets an object of another kind is finished by that kind, with its own identifier',
    run: () => {
      const w = new World(boards);
      const kind = new KindInMemory('gadget', { pairs: false });
      w.streams.kind(kind);
      w.protocol.elsewhere.set('d', device);
      w.run(function* (streams) {
        const s = yield* w.open('/d', { read: true, write: true });
        yield* streams.write(s, new Uint8Array([1, 2, 3]));
        yield* streams.close(s);
      });
      same('opened', kind.opened, ['7 {"read":true,"write":true} 33']);
      same('written to it', kind.file.bytes.length, 3);
    },
  },
  {
    name: 'the second half of an open runs after naming is done: what it throws comes out, and no name is tried again',
    run: () => {
      const w = new World(boards);
      const kind = new KindInMemory('gadget', { pairs: false });
      w.streams.kind(kind);
      w.protocol.elsewhere.set('d', device);
      kind.failing = new KernelError('peerDown');
      same(
        'open',
        w.run(() => kindOf(w.open('/d', { read: true }))),
        'peerDown',
      );
      same('attempts', [w.protocol.asked.length, kind.opened.length], [1, 1]);
    },
  },
  {
    name: 'an object whose kind nobody has is an error',
    run: () => {
      const w = new World(boards);
      w.protocol.elsewhere.set('d', device);
      const failed = w.run(function* () {
        try {
          yield* w.open('/d', { read: true });
          return false;
        } catch {
          return true;
        }
      });
      holds('open', failed);
    },
  },
  {
    name: 'a pair has an end to read and an end to write; a kind without pairs is unsupported',
    run: () => {
      const w = new World(boards);
      w.streams.kind(new KindInMemory('gadget', { pairs: true }));
      w.streams.kind(new KindInMemory('single', { pairs: false }));
      w.run(function* (streams) {
        const { read, write } = streams.pair('gadget');
        same('ends', [read.object.how.read ?? false, write.object.how.write ?? false], [true, true]);
        const none = kindOf(
          (function* () {
            streams.pair('single');
          })(),
        );
        same('a kind without', yield* none, 'unsupported');
      });
    },
  },
  {
    name: 'syncAll asks every protocol',
    run: () => {
      const w = new World(boards);
      const another = new FilesInMemory('another', () => {});
      w.streams.protocol(another);
      w.run((streams) => streams.syncAll());
      same('synced', [w.protocol.synced, another.synced], [1, 1]);
    },
  },
  {
    name: 'identifiers of streams are unique in the cluster, also over reboots',
    run: () => {
      const w = new World(boards);
      const ids = new Set<string>();
      let made = 0;
      const make = (host: 'one' | 'two'): void => {
        const streams = w.rig.board(host, 'streams');
        streams.kind(new KindInMemory('gadget', { pairs: true }));
        for (let i = 0; i < 5; i++) {
          const { read, write } = streams.pair('gadget');
          ids.add(read.id);
          ids.add(write.id);
          made += 2;
        }
      };
      make('one');
      make('two');
      w.rig.reboot('one');
      make('one');
      same('different ones', ids.size, made);
    },
  },
  {
    name: 'the object is closed with its last reference, once',
    run: () => {
      const w = new World(boards);
      const file = w.protocol.file('f');
      w.run(function* (streams) {
        const s = yield* w.open('/f', { read: true });
        const shared = streams.share(streams.share(s));
        for (let left = 2; left >= 0; left--) {
          same('closes before', file.closes, 0);
          yield* streams.close(left === 1 ? shared : s);
        }
      });
      same('opens and closes', [file.opens, file.closes], [1, 1]);
      same('who opened', w.protocol.asked[0]?.endsWith(` ${somebody.uid}`) ?? false, true);
    },
  },
];
