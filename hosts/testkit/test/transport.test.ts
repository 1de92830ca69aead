import { currentThread, sleep, type Task } from '@backplane/engine';
import { spriteRpc } from '@backplane/rpc-sprite';
import {
  type Board,
  type Caller,
  type HostId,
  isBackplaneError,
  KernelError,
  type Procedure,
  type Silent,
  silent,
  type Transport,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToTransport, runChecks } from '../src/index.ts';

type Handler<Q, R> = (request: Q, from: Caller) => Task<R | Silent>;

/** A transport with a defect in it: some members are other than those of the one that is inside. */
function defective(change: (inside: Transport) => Partial<Transport>): Board<'transport'> {
  const board = spriteRpc();
  return {
    ...board,
    create: (granted, place) => {
      const inside = board.create(granted, place);
      // The wrapper passes everything on, and keeps what the board's start needs by inheriting from it.
      return Object.assign(passOn(inside), change(inside)) as Transport;
    },
    *start(wrapper) {
      const inside: unknown = Reflect.get(wrapper, 'inside');
      yield* board.start?.(inside as Transport) ?? [];
    },
  };
}

const passOn = (inside: Transport): Transport & { readonly inside: Transport } => ({
  inside,
  self: inside.self,
  maxParametersBytes: inside.maxParametersBytes,
  maxDataBytes: inside.maxDataBytes,
  peers: inside.peers,
  call: (to, procedure, request) => inside.call(to, procedure, request),
  ask: (procedure, request, options) => inside.ask(procedure, request, options),
  serve: (procedure, handler) => inside.serve(procedure, handler),
});

/** The names of the checks that a transport fails. */
const failedBy = (transport: Board<'transport'>, names?: RegExp): string[] => {
  const checks = conformsToTransport({ boards: { transport }, courses: 1 });
  return runChecks(checks.filter(({ name }) => names === undefined || names.test(name))).map(
    ({ name }) => name,
  );
};

describe('the conformance kit of the slot transport', () => {
  it('finds nothing wrong with a transport that conforms', () => {
    expect(failedBy(spriteRpc())).toEqual([]);
  });

  it('finds nothing wrong with one that is passed on unchanged', () => {
    expect(
      failedBy(
        defective(() => ({})),
        /brings|at once|own host|told once/,
      ),
    ).toEqual([]);
  });

  it('says what was expected and what was found', () => {
    const deaf = defective((inside) => ({ peers: { ...peersOf(inside), isAlive: () => true } }));
    const [failed] = runChecks(
      conformsToTransport({ boards: { transport: deaf } }).filter(({ name }) => name.includes('never heard')),
    );
    const { error } = failed ?? {};
    expect(isBackplaneError(error) && [error.code, error.data]).toEqual([
      'NOT_CONFORMING',
      { what: 'not known to be alive', expected: true, found: false },
    ]);
  });
});

const peersOf = ({ peers }: Transport): Transport['peers'] => ({
  onDead: (f) => peers.onDead(f),
  onReboot: (f) => peers.onReboot(f),
  watch: (host) => peers.watch(host),
  isAlive: (host) => peers.isAlive(host),
  awaitAlive: (host) => peers.awaitAlive(host),
});

/** What is wrong, the change that makes it so, and the check that has to see it. */
const defects: readonly (readonly [string, (inside: Transport) => Partial<Transport>, RegExp])[] = [
  [
    'tries a call again after it failed',
    (inside) => ({
      *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
        try {
          return yield* inside.call(to, procedure, request);
        } catch {
          return yield* inside.call(to, procedure, request);
        }
      },
    }),
    /reboots in between/,
  ],
  [
    'executes each call twice',
    (inside) => ({
      serve: <Q, R>(procedure: Procedure<Q, R>, handler: Handler<Q, R>) =>
        inside.serve(procedure, function* (request: Q, from: Caller): Task<R | Silent> {
          yield* handler(request, from);
          return yield* handler(request, from);
        }),
    }),
    /at most once .*loses/,
  ],
  [
    'gives up a call after ten seconds',
    (inside) => ({
      serve: <Q, R>(procedure: Procedure<Q, R>, handler: Handler<Q, R>) =>
        inside.serve(procedure, function* (request: Q, from: Caller): Task<R | Silent> {
          const startNs = now();
          const reply = yield* handler(request, from);
          if (now() - startNs > 10e9) throw new KernelError('peerDown');
          return reply;
        }),
    }),
    /busy server/,
  ],
  [
    'tells every error as an I/O error',
    (inside) => ({
      *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
        try {
          return yield* inside.call(to, procedure, request);
        } catch {
          throw new KernelError('ioError');
        }
      },
    }),
    /crosses as its kind/,
  ],
  [
    'waits for the whole window, though enough have answered',
    (inside) => ({ ask: (procedure, request, o) => inside.ask(procedure, request, { ...o, enough: 1000 }) }),
    /as soon as enough/,
  ],
  [
    'answers with silence when a handler failed',
    (inside) => ({
      serve: <Q, R>(procedure: Procedure<Q, R>, handler: Handler<Q, R>) =>
        inside.serve(procedure, function* (request: Q, from: Caller): Task<R | Silent> {
          try {
            return yield* handler(request, from);
          } catch {
            return silent;
          }
        }),
    }),
    /crosses as its kind/,
  ],
  [
    'never tells of deaths',
    (inside) => ({ peers: { ...peersOf(inside), onDead: () => () => {} } }),
    /told once/,
  ],
  [
    'watches nobody',
    (inside) => ({ peers: { ...peersOf(inside), watch: () => () => {} } }),
    /idle host learns that a watched peer has rebooted/,
  ],
  [
    'takes a watch back as often as it is told to',
    (inside) => {
      const undos: (() => void)[] = [];
      const watch = (host: HostId) => {
        undos.push(inside.peers.watch(host));
        return () => undos.pop()?.();
      };
      return { peers: { ...peersOf(inside), watch } };
    },
    /watching is counted/,
  ],
  [
    'lets handlers run before those for the earlier boot have ended',
    (inside) => ({
      peers: {
        ...peersOf(inside),
        onDead: (f) =>
          inside.peers.onDead(function* (host): Task<void> {
            later.push(f(host));
          }),
      },
      serve: <Q, R>(procedure: Procedure<Q, R>, handler: Handler<Q, R>) =>
        inside.serve(procedure, function* (request: Q, from: Caller): Task<R | Silent> {
          const reply = yield* handler(request, from);
          for (const f of later.splice(0)) yield* f;
          return reply;
        }),
    }),
    /earlier boot/,
  ],
  [
    'hands values over by reference to its own host',
    (inside) => {
      const handlers = new Map<number, Handler<never, unknown>>();
      return {
        serve: <Q, R>(procedure: Procedure<Q, R>, handler: Handler<Q, R>) => {
          handlers.set(procedure.id, handler as Handler<never, unknown>);
          return inside.serve(procedure, handler);
        },
        *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
          const local = handlers.get(procedure.id) as Handler<Q, R> | undefined;
          if (to !== inside.self || local === undefined) return yield* inside.call(to, procedure, request);
          return (yield* local(request, { host: to, bootId: 0 })) as R;
        },
      };
    },
    /call to oneself/,
  ],
  [
    'is slow to notice silence',
    (inside) => ({
      *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
        try {
          return yield* inside.call(to, procedure, request);
        } catch (e) {
          yield* sleep(100e9);
          throw e;
        }
      },
    }),
    /does not answer fails/,
  ],
];

/** onDead handlers that the defective transport puts off. */
const later: Task<void>[] = [];
const now = (): number => currentThread().scope.engine.nowNs;

describe('the conformance kit catches a transport that', () => {
  for (const [what, change, check] of defects)
    it(what, () => {
      expect(failedBy(defective(change), check)).toHaveLength(1);
    });
});
