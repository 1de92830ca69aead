/**
 * The client's half of name operations: a target becomes a call to the server in its authority, and silence becomes an
 * outcome that naming can sit out.
 */
import { charge, settle, type Task } from '@backplane/engine';
import {
  type Attempt,
  type Authority,
  Busy,
  type Credentials,
  type FileId,
  type HostId,
  hostId,
  isKernelError,
  KernelError,
  type Machine,
  type NameOps,
  type NameTarget,
  type Procedure,
  type SecondAttempt,
  type Token,
  type Transport,
  type TwoNameOp,
  type Verdict,
  type WireAttempt,
} from '@backplane/slots';
import { fileOfToken } from './file-id.ts';
import type { NameProcedures, TwoNameReply } from './name-procedures.ts';

export class RemoteNames {
  readonly #transport: Pick<Transport, 'call'>;
  readonly #machine: Machine;
  readonly #procedures: NameProcedures;
  readonly #awaitServer: (server: HostId) => Task<Verdict>;

  constructor(
    transport: Pick<Transport, 'call'>,
    machine: Machine,
    procedures: NameProcedures,
    awaitServer: (server: HostId) => Task<Verdict>,
  ) {
    this.#transport = transport;
    this.#machine = machine;
    this.#procedures = procedures;
    this.#awaitServer = awaitServer;
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
    return yield* this.attempt(t.authority, this.#procedures.one[op], request);
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
    return yield* this.attempt<typeof request, null, TwoNameReply>(
      a.authority,
      this.#procedures.two[op],
      request,
    );
  }

  /** One call about a name. The client's part of naming is charged here. */
  *attempt<Q, T, R extends WireAttempt<T> | SecondAttempt<T>>(
    to: Authority,
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
  ): Task<R | Extract<Attempt<T>, { readonly is: 'unreachable' }>> {
    const server = serverOf(to);
    charge(this.#machine.type.costs.clientNamingNs, Busy.files);
    yield* settle();
    try {
      return yield* this.#transport.call(server, procedure, request);
    } catch (e) {
      if (!isKernelError(e, 'peerDown') && !isKernelError(e, 'recovering')) throw e;
      return { is: 'unreachable', wait: () => this.#awaitServer(server) };
    }
  }
}

/** The host of an authority that `ServedDomains` minted. */
export const serverOf = (a: Authority): HostId => hostId(Number(a));

export function startOf(t: Token): FileId {
  const f = fileOfToken(t);
  if (f === undefined) throw new KernelError('stale', t);
  return f;
}
