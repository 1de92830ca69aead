import { seconds, sleep, type Task } from '@backplane/engine';
import { spriteRpc } from '@backplane/rpc-sprite';
import {
  type ArrivedRequest,
  codeOf,
  type EntityId,
  type EntityService,
  type EntityTransport,
  entityId,
  flagsOf,
  isGroup,
  type Message,
  MessageFlag,
  message,
  type Probed,
  ReplyCode,
  type Response,
  type SendOptions,
  type Undo,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToEntities, runChecks } from '../src/index.ts';
import { defective, failedBy, passOn } from './defective.ts';

type EntityChange = (inside: EntityTransport, host: number) => Partial<EntityTransport>;

const kit = (change: EntityChange) =>
  conformsToEntities({
    boards: {
      transport: defective(spriteRpc(), ({ entities }, { host }) =>
        entities === undefined ? {} : { entities: passOn(entities, change(entities, host)) },
      ),
    },
    courses: 3,
  });

describe('the conformance kit of the capability entities', () => {
  it('finds nothing wrong with a transport that conforms, and with one that is passed on unchanged', () => {
    const checks = conformsToEntities({ boards: { transport: spriteRpc() }, courses: 2 });
    expect(runChecks(checks)).toEqual([]);
    expect(
      failedBy(
        kit(() => ({})),
        /every size|every member|once/,
      ),
    ).toEqual([]);
  });

  it('has a sentence of its own for each clause', () => {
    const names = kit(() => ({})).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('says what was expected and what was found', () => {
    const boards = { transport: { ...spriteRpc(), capabilities: [] } };
    const [failed] = runChecks(conformsToEntities({ boards }).slice(0, 1));
    expect(failed?.error).toMatchObject({
      code: 'NOT_CONFORMING',
      data: { what: 'capabilities', expected: true, found: false },
    });
  });
});

/** Sends with a defect. */
const sending =
  (
    change: (
      inside: (m?: Message, o?: SendOptions) => Task<Response>,
      m: Message,
      to: EntityId,
      o: SendOptions,
    ) => Task<Response>,
  ): EntityChange =>
  (inside) => ({
    *send(from, to, m, options = {}) {
      return yield* change((n = m, o = options) => inside.send(from, to, n, o), m, to, options);
    },
  });

/** One outcome is told as another one. */
const mistaking = (found: number, told: number): EntityChange =>
  sending(function* (send) {
    const response = yield* send();
    return codeOf(response.message) === found ? { ...response, message: message({ code: told }) } : response;
  });

/** The client gives up by itself, and calls that something else. */
const impatient = (code: number): EntityChange =>
  sending(function* (send, m, _, options) {
    const response = yield* send(m, { timeoutNs: seconds(60), ...options });
    const own = options.timeoutNs === undefined && codeOf(response.message) === ReplyCode.userTimeout;
    return own ? { ...response, message: message({ code }) } : response;
  });

/** Services see requests with a defect. */
const receiving =
  (change: (request: ArrivedRequest) => Partial<ArrivedRequest>): EntityChange =>
  (inside) => ({
    attach: (entity, service) =>
      inside.attach(
        entity,
        passOnService(service, (request) => passOn(request, change(request))),
      ),
  });

function passOnService(
  service: EntityService,
  wrap: (request: ArrivedRequest) => ArrivedRequest,
): EntityService {
  const wrapped = new Map<ArrivedRequest, ArrivedRequest>();
  return {
    arrived(request) {
      const outside = wrap(request);
      wrapped.set(request, outside);
      return service.arrived(outside);
    },
    abandoned(request) {
      service.abandoned?.(wrapped.get(request) ?? request);
    },
  };
}

const without = (m: Message, flag: number): Message => {
  const control = m.control.slice();
  control[0] = flagsOf(m) & ~flag;
  return { control, segment: m.segment };
};

/** What was done cannot be taken back. */
const kept =
  (_undo: Undo): Undo =>
  () => {};

/** What is wrong, the change that makes it so, and the check that has to see it. */
const defects: readonly (readonly [string, EntityChange, RegExp])[] = [
  [
    'mints the same numbers in each life',
    (_, host) => {
      let n = 0;
      return {
        mint: () =>
          entityId(`${(++n).toString(16).padStart(8, '0')}0a0100${host.toString(16).padStart(2, '0')}`),
      };
    },
    /minted once/,
  ],
  [
    'has other well-known groups on each host',
    (inside, host) => ({ wellKnownGroup: (n) => inside.wellKnownGroup(n + host) }),
    /well-known group is the same/,
  ],
  [
    'detaches nobody',
    (inside) => ({ attach: (e, s) => kept(inside.attach(e, s)) }),
    /from when it is attached/,
  ],
  [
    'cuts long segments off',
    sending((send, m) => send({ control: m.control, segment: m.segment.subarray(0, 8192) })),
    /every size/,
  ],
  [
    'takes silence for a word',
    mistaking(ReplyCode.retransmissionTimeout, ReplyCode.nonexistentEntity),
    /host that is silent/,
  ],
  [
    'takes a word for silence',
    mistaking(ReplyCode.nonexistentEntity, ReplyCode.retransmissionTimeout),
    /a living host says so/,
  ],
  ['knows no limit of the client', sending((send, m) => send(m, {})), /own limit ends a transaction/],
  [
    'gives up a server that works',
    impatient(ReplyCode.retransmissionTimeout),
    /for as long as a living server works/,
  ],
  ['gives up a server that is busy', impatient(ReplyCode.busy), /server that is busy/],
  ['gives up a server that is frozen', impatient(ReplyCode.busy), /server that is frozen/],
  [
    'delivers requests without conditions',
    (inside) => ({
      attach: (entity, service) =>
        inside.attach(entity, {
          arrived(request) {
            const says = service.arrived(request);
            return says === 'notAwaiting' ? 'busy' : says;
          },
        }),
    }),
    /conditional request to a server/,
  ],
  [
    'waits for datagrams',
    sending(function* (send, m) {
      if ((flagsOf(m) & MessageFlag.datagram) !== 0) yield* sleep(seconds(1));
      return yield* send();
    }),
    /datagram returns at once, and is seen/,
  ],
  [
    'shows each request twice',
    (inside) => ({
      attach: (entity, service) =>
        inside.attach(entity, {
          arrived(request) {
            const says = service.arrived(request);
            if (says === 'taken') service.arrived(passOn(request, deaf));
            return says;
          },
        }),
    }),
    /seen at most once .* loses/,
  ],
  [
    'answers with the request before',
    (inside) => {
      const last = new Map<EntityId, Response>();
      return {
        *send(from, to, m, options) {
          const before = last.get(from);
          const response = yield* inside.send(from, to, m, options);
          last.set(from, response);
          return before ?? response;
        },
      };
    },
    /seen at most once .* loses/,
  ],
  [
    'never says that a request is abandoned',
    receiving(() => ({ abandoned: false })),
    /that gave it up is abandoned/,
  ],
  [
    'tells services nothing of abandoned requests',
    (inside) => ({
      attach: (entity, service) => inside.attach(entity, { arrived: (request) => service.arrived(request) }),
    }),
    /death of a client's host/,
  ],
  [
    'holds servers up until their responses have arrived',
    receiving((request) => ({
      *respond(m) {
        yield* request.respond(m);
        yield* sleep(seconds(5));
      },
    })),
    /does not hold up the server/,
  ],
  [
    'forwards what came through groups',
    receiving((request) => ({
      *forward(to, m) {
        const forwarded = yield* request.forward(to, m);
        return forwarded || isGroup(request.to);
      },
    })),
    /came through a group is not forwarded/,
  ],
  [
    'forgets that a request was changed',
    receiving((request) => ({ forward: (to) => request.forward(to, request.message) })),
    /changed when it is forwarded/,
  ],
  ['has no members', () => ({ join: () => () => {} }), /reaches every member/],
  [
    'keeps members that have left',
    (inside) => ({ join: (g, m) => kept(inside.join(g, m)) }),
    /has left a group/,
  ],
  [
    'brings the first response only',
    () => ({ *nextResponse(): Task<undefined> {} }),
    /the first response ends a group request/,
  ],
  [
    'brings further responses twice',
    (inside) => {
      let last: Response | undefined;
      return {
        *nextResponse(from, waitNs) {
          const found = yield* inside.nextResponse(from, waitNs);
          const again = found ?? last;
          last = found;
          return again;
        },
      };
    },
    /waited for as long as was said/,
  ],
  [
    'waits for further responses for ever',
    (inside) => ({
      *nextResponse(from, waitNs) {
        return yield* inside.nextResponse(from, 2 * waitNs);
      },
    }),
    /waited for as long as was said/,
  ],
  [
    'sends to all members instead of those near somebody',
    sending((send, m) => send(without(m, MessageFlag.coResident))),
    /only members on the host of that entity/,
  ],
  [
    'knows nothing of groups near a group',
    sending((send, m, to) => send(isGroup(to) ? without(m, MessageFlag.coResident) : m)),
    /only members on the hosts of its members/,
  ],
  [
    'calls everything silent nonexistent when it is probed',
    (inside) => ({
      *probe(entity): Task<Probed> {
        const found = yield* inside.probe(entity);
        return found === 'noAnswer' ? 'nonexistent' : found;
      },
    }),
    /a probe tells/,
  ],
  [
    'looks for entities only where they were minted',
    sending(function* (send, _, to) {
      const response = yield* send();
      const elsewhere = response.from === to && to.endsWith('02');
      return elsewhere ? { ...response, message: message({ code: ReplyCode.nonexistentEntity }) } : response;
    }),
    /has moved keeps its number/,
  ],
  [
    'waits for ever when the host of a server dies',
    sending(function* (send) {
      const response = yield* send();
      if (codeOf(response.message) === ReplyCode.retransmissionTimeout) yield* sleep(seconds(3600));
      return response;
    }),
    /death of a server's host ends/,
  ],
];

/** A request that nobody hears answered. */
const deaf: Partial<ArrivedRequest> = {
  *respond() {},
  *forward() {
    return true;
  },
  discard: () => {},
};

describe('the conformance kit of the capability entities catches a transport that', () => {
  for (const [what, change, check] of defects)
    it(what, () => {
      expect(failedBy(kit(change), check)).toHaveLength(1);
    });
});
