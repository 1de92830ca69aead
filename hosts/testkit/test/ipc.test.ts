import type { Task } from '@backplane/engine';
import { ipcV } from '@backplane/ipc-v';
import {
  codeOf,
  flagsOf,
  type Ipc,
  type IpcProcess,
  type Message,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToIpc } from '../src/index.ts';
import { type Change, defective, failedBy, passOn } from './defective.ts';

const failed = (change: Change<Ipc>, names: RegExp): readonly string[] =>
  failedBy(conformsToIpc({ boards: { ipc: defective(ipcV(), change) }, courses: 4 }), names);

/** Every process with a defect. */
const processes =
  (change: (inside: IpcProcess) => Partial<IpcProcess>): Change<Ipc> =>
  (ipc) => ({
    create(description) {
      const inside = ipc.create(description);
      return passOn(inside, change(inside));
    },
  });

const unflagged = (m: Message): Message => {
  const control = m.control.slice();
  control[0] = flagsOf(m) & 0x7f;
  return { control, segment: m.segment };
};

const defects: readonly (readonly [string, Change<Ipc>, RegExp])[] = [
  [
    'loses segments',
    processes((p) => ({ reply: (r, m) => p.reply(r, { ...m, segment: new Uint8Array(0) }) })),
    /^a request arrives/,
  ],
  [
    'has no time limits',
    processes((p) => ({ send: (to, m, o) => p.send(to, m, o?.grant && { grant: o.grant }) })),
    /^after its time limit/,
  ],
  [
    'is content with every reply',
    processes((p) => ({
      *reply(r, m) {
        yield* p.reply(r, m);
        return ReplyCode.ok;
      },
    })),
    /^a request is answered once/,
  ],
  [
    'never discards',
    processes(() => ({ discard: () => ReplyCode.ok })),
    /^a request to one process that is discarded/,
  ],
  [
    'receives from anybody',
    processes((p) => ({ receiveFrom: () => p.receive() })),
    /^receiveFrom (takes|waits)/,
  ],
  [
    'delivers conditional messages to anybody',
    processes((p) => ({ send: (to, m, o) => p.send(to, unflagged(m), o) })),
    /^a conditional message to a process that is not/,
  ],
  [
    'answers instead of passing on',
    processes((p) => ({ forward: (r, _to, m) => p.reply(r, m) })),
    /^a request that is passed on is answered/,
  ],
  ['grants nothing', processes((p) => ({ send: (to, m) => p.send(to, m) })), /^a grant arrives/],
  [
    'moves nothing, and says that it has',
    processes(() => ({
      *moveTo(): Task<number> {
        return ReplyCode.ok;
      },
    })),
    /^moveTo brings|^a move outside/,
  ],
  [
    'moves one byte too few',
    processes((p) => ({ moveFrom: (r, from, to, n) => p.moveFrom(r, from, to, Math.max(0, n - 1)) })),
    /^moveFrom brings/,
  ],
  [
    'has one reply of a group',
    processes(() => ({
      *nextReply() {
        return undefined;
      },
    })),
    /^a message to a group/,
  ],
  [
    'never leaves a group',
    processes((p) => ({
      join(g) {
        p.join(g);
        return () => {};
      },
    })),
    /^who has left a group/,
  ],
  [
    'runs one procedure at a time',
    processes((p) => ({ serve: (f) => p.serve(f, { concurrent: 1 }) })),
    /^each request runs/,
  ],
  [
    'knows no limit of procedures',
    processes((p) => ({ serve: (f) => p.serve(f, { concurrent: 99 }) })),
    /^beyond the limit/,
  ],
  ['outlives its destruction', processes(() => ({ destroy: () => {} })), /^when a process is destroyed/],
  ['is never frozen', processes(() => ({ freeze: () => {} })), /^who sends to a frozen|^a frozen sender/],
  ['finds nobody', () => ({ find: () => undefined }), /is found no more/],
  [
    'says that all are alive',
    () => ({
      *probe() {
        return 'here' as const;
      },
    }),
    /^a process that is destroyed is found|^a host that crashes/,
  ],
  [
    'takes silence for a death',
    processes((p) => ({
      *send(to, m, o) {
        const response = yield* p.send(to, m, o);
        const { control } = response.message;
        if (codeOf(response.message) !== ReplyCode.retransmissionTimeout) return response;
        const dead = control.slice();
        dead[3] = ReplyCode.nonexistentEntity;
        return { from: response.from, message: { control: dead, segment: response.message.segment } };
      },
    })),
    /^a host that crashes/,
  ],
  [
    'has a group of its own for each number and host',
    (ipc) => ({ wellKnownGroup: () => ipc.mintGroup() }),
    /^a well-known group/,
  ],
  [
    'answers twice now and then, under another number',
    processes((p) => ({
      *reply(r, m) {
        return yield* p.reply(
          r,
          wordOf(m, 1) % 7 === 3 ? { control: new Uint8Array(32), segment: m.segment } : m,
        );
      },
    })),
    /^whatever processes send/,
  ],
];

describe('the kit for ipc', () => {
  it('has nothing against a board without a defect', () => {
    const names = defects.map(([, , { source }]) => source).join('|');
    // A process that is found is the board's own, and not the one that was wrapped.
    expect(
      failed(
        processes(() => ({})),
        new RegExp(names),
      ).filter((name) => !/found no more/.test(name)),
    ).toEqual([]);
  });

  it.each(defects)('sees a board that %s', (_name, change, names) => {
    expect(failed(change, names)).not.toEqual([]);
  });
});
