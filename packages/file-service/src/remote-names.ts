/**
 * The client's half of name operations: a target becomes a call to the server in its authority, and silence becomes an
 * outcome that naming can sit out.
 */
import { charge, settle, type Task, tasks } from '@backplane/engine';
import {
  type Attempt,
  type Authority,
  Busy,
  type Credentials,
  type FileId,
  type Gone,
  type HostId,
  hostId,
  isKernelError,
  KernelError,
  type Machine,
  type NameOps,
  type NameTarget,
  type Procedure,
  type SecondAttempt,
  type staleName,
  type Token,
  type Transport,
  type TwoNameOp,
  type Unreachable,
  type Verdict,
} from '@backplane/slots';
import { type Ask, nameAgain, namesAgain, renamedAgain } from './asked-again.ts';
import { fileOfToken } from './file-id.ts';
import type { NameProcedures } from './name-procedures.ts';

/** Nobody has answered: the server may come back, or there is none any more in that authority. */
export type Unanswered = Unreachable | Gone | typeof staleName;

/** One call to the server in an authority. @throws what the server answers */
export type CallAuthority = <Q, R>(
  to: Authority,
  procedure: Procedure<Q, R>,
  request: NoInfer<Q>,
) => Task<R | Unanswered>;

export class RemoteNames {
  static {
    tasks(RemoteNames);
  }

  readonly #machine: Pick<Machine, 'type'>;
  readonly #procedures: NameProcedures;
  readonly #call: CallAuthority;

  /** @param machine whose type stands for `$MACHINE`, and whose costs are charged */
  constructor(machine: Pick<Machine, 'type'>, procedures: NameProcedures, call: CallAuthority) {
    this.#machine = machine;
    this.#procedures = procedures;
    this.#call = call;
  }

  *name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    const request = {
      start: startOf(t.root),
      path: t.remainder,
      who,
      machineType: this.#machine.type.name,
      argument,
    };
    try {
      return yield* this.attempt(t.authority, this.#procedures.one[op], request);
    } catch (e) {
      if (t.again !== true) throw e;
      return yield* nameAgain(op, argument, t, e, this.#askFor(who));
    }
  }

  *nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    const request = {
      first: { start: startOf(a.root), path: a.remainder },
      second: { start: startOf(b.root), path: b.remainder },
      who,
      machineType: this.#machine.type.name,
    };
    if (a.again !== true) return yield* this.attempt(a.authority, this.#procedures.two[op], request);
    try {
      const outcome = yield* this.attempt(a.authority, this.#procedures.two[op], request);
      if (op !== 'rename' || outcome.is !== 'done') return outcome;
    } catch (e) {
      return yield* namesAgain(op, a, b, e, this.#askFor(who));
    }
    return yield* renamedAgain(a, b, this.#askFor(who));
  }

  #askFor(who: Credentials): Ask {
    return (t, op, argument) => this.name({ ...t, again: false }, op, argument, who);
  }

  /**
   * One call about a name. The client's part of naming is charged here.
   *
   * @param call when this one is not made as others are
   */
  *attempt<Q, R>(
    to: Authority,
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    call: CallAuthority = this.#call,
  ): Task<R | Unanswered> {
    charge(this.#machine.type.costs.clientNamingNs, Busy.files);
    yield* settle();
    return yield* call(to, procedure, request);
  }
}

/** Calls where an authority is a host: one that is down, or that recovers, may come back. */
export const callsToHosts = (
  transport: Pick<Transport, 'call'>,
  awaitServer: (server: HostId) => Task<Verdict>,
): CallAuthority =>
  function* (to, procedure, request) {
    const server = serverOf(to);
    try {
      return yield* transport.call(server, procedure, request);
    } catch (e) {
      const perhapsDone = isKernelError(e, 'peerDown');
      if (!perhapsDone && !isKernelError(e, 'recovering')) throw e;
      return { is: 'unreachable', perhapsDone, wait: () => awaitServer(server) };
    }
  };

/** The host of an authority that `ServedDomains` minted. */
export const serverOf = (a: Authority): HostId => hostId(Number(a));

export function startOf(t: Token): FileId {
  const f = fileOfToken(t);
  if (f === undefined) throw new KernelError('stale', t);
  return f;
}
