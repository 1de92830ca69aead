/**
 * The clauses for what moves, of both kits: over the model of a transport that keeps them, and over transports and boards that
 * do not. What depends on frames is tried over VMTP.
 */
import type { Scope } from '@backplane/engine';
import { ipcV } from '@backplane/ipc-v';
import { spriteRpc } from '@backplane/rpc-sprite';
import { vmtp } from '@backplane/rpc-vmtp';
import {
  type ArrivedRequest,
  type Board,
  type EntityId,
  type EntityMoves,
  type EntityService,
  type EntityTransport,
  type Ipc,
  KernelError,
  message,
  ReplyCode,
  type Response,
  type Undo,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { type Check, conformsToEntities, conformsToIpc, runChecks } from '../src/index.ts';
import { type Change, defective, failedBy, passOn } from './defective.ts';
import { modelTransport } from './model-transport.ts';

const [calm, frames] = [modelTransport(), vmtp()];
const courses = 2;

type EntitiesChange = (inside: EntityTransport, moves: EntityMoves) => TransportDefect;
interface TransportDefect extends Omit<Partial<EntityTransport>, 'moves'> {
  readonly moves?: Partial<EntityMoves>;
}

/** The transport with a defect that shows where entities move. */
const moving = (transport: Board<'transport'>, change: EntitiesChange): Board<'transport'> =>
  defective(transport, ({ entities }) => {
    if (entities?.moves === undefined) return {};
    const { moves = {}, ...others } = change(entities, entities.moves);
    return { entities: passOn(entities, { moves: passOn(entities.moves, moves), ...others }) };
  });

type Arrived = ReturnType<EntityMoves['attach']>;

/** What arrives does so with a defect. */
const attaching =
  (change: (arrived: Arrived, service: EntityService) => Partial<Arrived>): EntitiesChange =>
  (_, moves) => ({
    moves: {
      attach(entity, service, state) {
        const arrived = moves.attach(entity, service, state);
        return { ...arrived, ...change(arrived, service) };
      },
    },
  });

const forgetsTransactions: EntitiesChange = (inside) => ({
  send: (from, to, m, { again: _, ...options } = {}) => inside.send(from, to, m, options),
});

const leavesRequestsBehind: EntitiesChange = (_, moves) => ({
  moves: { take: (entity) => ({ ...moves.take(entity), requests: [] }) },
});

/** Delivers once more, with the next request, what the service has had. */
const repeating = (service: EntityService, old: ArrivedRequest[]): EntityService =>
  passOn(service, {
    arrived(request) {
      const delivery = service.arrived(request);
      if (delivery === 'taken') for (const r of old.splice(0)) service.arrived(r);
      return delivery;
    },
  });

const repeats = (times: number): EntitiesChange => {
  let arrivals = 0;
  return (_, moves) => ({
    moves: {
      attach(entity, service, state) {
        const old: ArrivedRequest[] = [];
        const arrived = moves.attach(entity, repeating(service, old), state);
        if (arrived.requests.length > 0 && ++arrivals % times === 0) old.push(...arrived.requests);
        return arrived;
      },
    },
  });
};

const carriesGroups = (): EntitiesChange => {
  const groups = new Map<EntityId, EntityId[]>();
  return (inside, moves) => ({
    moves: {
      attach(entity, service, state) {
        const arrived = moves.attach(entity, service, state);
        for (const group of groups.get(entity) ?? []) inside.join(group, entity);
        return arrived;
      },
    },
    join(group, member) {
      groups.set(member, [...(groups.get(member) ?? []), group]);
      return inside.join(group, member);
    },
  });
};

const outcome = (from: EntityId, code: number): Response => ({ from, message: message({ code }) });
const frozen: EntityService = { arrived: () => 'frozen' };
const unheard: Partial<ArrivedRequest> = { *respond() {} };

const takesBack = (): EntitiesChange => {
  const passedOn: ArrivedRequest[] = [];
  const noting = (r: ArrivedRequest): ArrivedRequest =>
    passOn(r, {
      forward(to, m) {
        passedOn.push(r);
        return r.forward(to, m);
      },
    });
  const noted = (service: EntityService): EntityService => ({ arrived: (r) => service.arrived(noting(r)) });
  return (inside, moves) => ({
    attach: (entity, service) => inside.attach(entity, noted(service)),
    moves: {
      attach: (entity, service, state) => moves.attach(entity, repeating(noted(service), passedOn), state),
    },
  });
};

const ofRequests = /moves with requests answers them from where it is: .* one response$/;
const ofTransactions =
  /with a transaction under way gets its one response where it is, and it is executed once$/;

/** What is wrong, the transport, the change that makes it so, and the check that has to see it. */
const transports: readonly (readonly [string, Board<'transport'>, EntitiesChange, RegExp])[] = [
  ['forgets the transaction under way', calm, forgetsTransactions, ofTransactions],
  [
    'says of what is sent again that it is another transaction',
    calm,
    (inside) => ({
      *send(from, to, m, options = {}) {
        const response = yield* inside.send(from, to, m, options);
        return options.again === true ? outcome(to, ReplyCode.badTransactionId) : response;
      },
    }),
    ofTransactions,
  ],
  ['leaves requests behind', calm, leavesRequestsBehind, ofRequests],
  [
    'brings requests in another order',
    calm,
    attaching(({ requests }) => ({ requests: requests.toReversed() })),
    ofRequests,
  ],
  ['delivers again what has come along', calm, repeats(1), ofRequests],
  [
    'sends no response to what has come along',
    calm,
    attaching(({ requests }) => ({ requests: requests.map((r) => passOn(r, unheard)) })),
    ofRequests,
  ],
  [
    'sends no response to what a group has brought and has come along',
    calm,
    attaching(({ requests }) => ({ requests: requests.map((r) => passOn(r, unheard)) })),
    /that a group brought is answered from there, and not executed again$/,
  ],
  [
    'leaves behind what was passed on to who moves',
    calm,
    leavesRequestsBehind,
    /passed on to an entity that moves is answered from there$/,
  ],
  [
    'takes back what was passed on by who moves',
    calm,
    takesBack(),
    /who has passed a request on may go: .* once by each$/,
  ],
  [
    'loses its transactions when both sides move',
    calm,
    forgetsTransactions,
    /client and server may move at once, and cross each other on the way$/,
  ],
  [
    'tells nobody that a client gave up after the move',
    calm,
    (_, moves) => ({
      moves: {
        attach: (entity, service, state) =>
          moves.attach(entity, { arrived: (request) => service.arrived(request) }, state),
      },
    }),
    /whose client gives up after the move is abandoned/,
  ],
  [
    'knows nothing of what was answered before the move',
    frames,
    (inside, moves) => ({
      moves: {
        take: (entity) => ({ state: moves.take(entity).state, requests: [] }),
        attach: (entity, service) => ({ undo: inside.attach(entity, service), requests: [] }),
      },
    }),
    /to a client that has not heard it, is not executed again/,
  ],
  ['carries groups along', calm, carriesGroups(), /groups of an entity are not carried along/],
  [
    'has the entity at its old host, too',
    calm,
    (inside, moves) => ({
      moves: {
        take(entity) {
          const left = moves.take(entity);
          inside.attach(entity, frozen);
          return left;
        },
      },
    }),
    /has moved is found by those who knew its old host/,
  ],
  [
    'calls what has left this host nonexistent',
    calm,
    (inside, moves) => {
      const gone = new Set<EntityId>();
      return {
        moves: {
          take(entity) {
            gone.add(entity);
            return moves.take(entity);
          },
        },
        *send(from, to, m, options) {
          const response = yield* inside.send(from, to, m, options);
          return gone.has(to) ? outcome(to, ReplyCode.nonexistentEntity) : response;
        },
      };
    },
    /has moved is found by those who knew its old host/,
  ],
  [
    'does not await an entity that is between two hosts',
    calm,
    (_, moves) => ({
      moves: {
        take(entity) {
          const left = moves.take(entity);
          moves.attach(entity, frozen, left.state).undo();
          return left;
        },
      },
    }),
    /who asks for an entity while it is between two hosts/,
  ],
  [
    'answers what has come along from the old host only',
    calm,
    attaching(({ requests }) => ({ requests: requests.map((r) => passOn(r, unheard)) })),
    /lives on when its old host dies/,
  ],
  [
    'brings a request twice now and then',
    calm,
    repeats(5),
    /whoever wanders: every send ends with its own answer, and is executed once$/,
  ],
];

const entityKit = (transport: Board<'transport'>, moves = true): readonly Check[] =>
  conformsToEntities({ boards: { transport }, courses, moves });

describe('the clauses for entities that move', () => {
  it('hold over a transport that keeps them', () => {
    const needsFrames = /has not heard it/;
    const names = entityKit(calm).map(({ name }) => name);
    const first = names.findIndex((name) => ofTransactions.test(name));
    const own = entityKit(calm).slice(first);
    expect(runChecks(own.filter(({ name }) => !needsFrames.test(name)))).toEqual([]);
    expect(failedBy(entityKit(frames), needsFrames)).toEqual([]);
  });

  it('have a sentence of its own each', () => {
    const names = entityKit(calm).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('see a transport that moves entities and does not say so, and one that says so and does not', () => {
    expect(failedBy(entityKit(calm, false), /has no `moves`/)).toHaveLength(1);
    expect(failedBy(entityKit(spriteRpc()), ofTransactions)).toHaveLength(1);
  });

  it.each(transports)('see a transport that %s', (_name, transport, change, names) => {
    expect(failedBy(entityKit(moving(transport, change)), names)).toHaveLength(1);
  });
});

// ---- processes ----

const ipcKit = (change: Change<Ipc>, transport = calm): readonly Check[] =>
  conformsToIpc({ boards: { ipc: defective(ipcV(), change), transport }, courses, moves: true });

/** Whoever arrives does so with a defect. */
const installing =
  (change: (install: () => void, m: Moving, where: Where, ipc: Ipc) => void): Change<Ipc> =>
  (ipc) => ({ install: (m, where) => change(() => ipc.install(m, where), m, where, ipc) });
type Moving = Parameters<Ipc['install']>[0];
type Where = Parameters<Ipc['install']>[1];

const leavesGroups = (): Change<Ipc> => {
  const undos: Undo[] = [];
  return (ipc) => ({
    create(description) {
      const process = ipc.create(description);
      const join = process.join.bind(process);
      // In place: the one that moves is the one that was made.
      process.join = (group) => {
        const undo = join(group);
        undos.push(undo);
        return undo;
      };
      return process;
    },
    install(m, where) {
      ipc.install(m, where);
      for (const undo of undos) undo();
    },
  });
};

const staysInScope = (): Change<Ipc> => {
  let first: Scope | undefined;
  return (ipc, { scope }) => {
    if (first === undefined || !first.alive) first = scope;
    const stays = first;
    return { install: (m, { space }) => ipc.install(m, { scope: stays, space }) };
  };
};

const boards: readonly (readonly [string, Change<Ipc>, RegExp])[] = [
  [
    'lets processes go that are not frozen',
    (ipc) => ({
      extract(id) {
        ipc.find(id)?.freeze();
        return ipc.extract(id);
      },
    }),
    /goes only if it is here and frozen/,
  ],
  [
    'throws while bytes move',
    (ipc) => ({
      extract(id) {
        const moved = ipc.extract(id);
        if (moved === 'busy') throw new KernelError('busy', id);
        return moved;
      },
    }),
    /does not go while bytes move/,
  ],
  [
    'thaws who arrives',
    installing((install, { process }) => {
      install();
      process.unfreeze();
    }),
    /arrives frozen/,
  ],
  [
    'forgets what hangs on a process',
    installing((install, { process }) => {
      install();
      process.local = undefined;
    }),
    /arrives frozen, with what hangs on it/,
  ],
  [
    'is content with every state',
    installing((install) => {
      try {
        install();
      } catch {}
    }),
    /state that is none/,
  ],
  ['announces nobody', () => ({ onArrival: () => () => {} }), /is announced where it arrives/],
  [
    'announces for ever',
    (ipc) => ({
      onArrival(listener) {
        ipc.onArrival(listener);
        return () => {};
      },
    }),
    /is announced where it arrives/,
  ],
  ['forgets groups', leavesGroups(), /is in its groups, and leaves them/],
  ['leaves processes in a scope of their old host', staysInScope(), /lives on when its old host crashes/],
  [
    'leaves memory behind',
    (ipc) => ({ install: (m, { scope }) => ipc.install(m, { scope, space: null }) }),
    /memory that a process granted/,
  ],
  [
    'leaves memory behind that somebody waits for',
    (ipc) => ({ install: (m, { scope }) => ipc.install(m, { scope, space: null }) }),
    /waits for a frozen process goes on/,
  ],
  [
    'finds who has moved at its old host only',
    (ipc) => {
      const gone = new Map<EntityId, ReturnType<Ipc['find']>>();
      return {
        extract(id) {
          gone.set(id, ipc.find(id));
          return ipc.extract(id);
        },
        find: (id) => gone.get(id) ?? ipc.find(id),
      };
    },
    /is found where it is/,
  ],
];

const below: readonly (readonly [string, EntitiesChange, RegExp])[] = [
  [
    'sends again what is under way as if it were new',
    forgetsTransactions,
    /gets the reply that it waits for/,
  ],
  [
    'leaves received requests behind',
    leavesRequestsBehind,
    /answers who asked it before|what a process received before it moved/,
  ],
  ['leaves procedures without their requests', leavesRequestsBehind, /procedures that run/],
  ['executes twice what wanderers ask', forgetsTransactions, /^processes that ask each other and wander/],
];

describe('the clauses for processes that move', () => {
  const own = (moves: boolean): readonly Check[] =>
    conformsToIpc({ boards: { ipc: ipcV(), transport: calm }, courses, moves });

  it('hold over a board and a transport that keep them', () => {
    const first = own(false).length - 1;
    expect(runChecks(own(true).slice(first))).toEqual([]);
  });

  it('have a sentence of its own each', () => {
    const names = own(true).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('see a transport that moves entities and does not say so, and a board that moves processes without one', () => {
    const names = /no process leaves: unsupported/;
    expect(failedBy(own(false), names)).toHaveLength(1);
    const careless: Change<Ipc> = () => ({ extract: () => 'busy' });
    const kit = conformsToIpc({ boards: { ipc: defective(ipcV(), careless) }, courses, moves: false });
    expect(failedBy(kit, names)).toHaveLength(1);
    expect(failedBy(conformsToIpc({ boards: { ipc: ipcV() }, courses, moves: false }), names)).toEqual([]);
  });

  it.each(boards)('see a board that %s', (_name, change, names) => {
    expect(failedBy(ipcKit(change), names)).toHaveLength(1);
  });

  it.each(below)('see it when the transport %s', (_name, change, names) => {
    expect(
      failedBy(
        ipcKit(() => ({}), moving(calm, change)),
        names,
      ),
    ).not.toEqual([]);
  });
});
