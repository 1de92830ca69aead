/**
 * The execution of one request, on the thread that the transport has for it.
 *
 *   step                                          what may come of it
 *   wait for the funeral of the client's earlier life
 *   is the life that asked still the newest?      over: nobody waits for a reply
 *   charge the path
 *   who serves the procedure?                     noProcedure
 *   decode the request                            wrongArguments
 *   run the handler                               the kind of the KernelError that it throws; noAnswer when it is silent
 *   encode the reply                              the payload
 *
 * Anything else that a handler throws, and a reply beyond the limits, is a fault of this host's programs and stops the run.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  Busy,
  type Caller,
  type HostId,
  isKernelError,
  type KernelErrorKind,
  type Machine,
  type Payload,
  silent,
} from '@backplane/slots';
import type { CallCounters } from './call-counters.ts';
import { checkSize } from './payloads.ts';
import type { PeerMonitor } from './peer-monitor.ts';
import type { ServedProcedures } from './served-procedures.ts';
import type { TransportTraits } from './traits.ts';

export type Refusal = 'noProcedure' | 'wrongArguments' | KernelErrorKind;

/** The reply; or the error that the caller is told; or `over`, of which nobody is told. */
export type Outcome = Payload | Refusal | 'over';

/** The kind that stands for the refusal, in protocols that have no other word for it. */
export const refusalKind = (refusal: Refusal): KernelErrorKind => {
  if (refusal === 'noProcedure') return 'unsupported';
  return refusal === 'wrongArguments' ? 'badArgument' : refusal;
};

/** Which life of each host is its newest; 0 for one that was never heard. */
export interface Lives {
  of(host: HostId): { readonly bootId: number };
}

export interface ServedCallsParts {
  readonly machine: Machine;
  readonly traits: TransportTraits;
  readonly procedures: ServedProcedures;
  readonly monitor: PeerMonitor;
  readonly peers: Lives;
  readonly counters: CallCounters;
}

export class ServedCalls {
  static {
    tasks(ServedCalls);
  }

  readonly #parts: ServedCallsParts;

  constructor(parts: ServedCallsParts) {
    this.#parts = parts;
  }

  /**
   * @param bootId  the life that asks; 0 for a client that does not know its own yet
   * @param id      the protocol's own name for the call
   * @param request undefined when not even its two areas could be read
   */
  *execute(
    client: HostId,
    bootId: number,
    procedureId: number,
    id: number,
    request: Payload | undefined,
  ): Task<Outcome> {
    const { machine, traits, monitor, peers, procedures, counters } = this.#parts;
    if (monitor.mourns(client)) yield* monitor.funeral(client);
    if (bootId !== 0 && peers.of(client).bootId !== bootId) return 'over';
    charge(traits.pathNs, Busy.network);
    const served = procedures.get(procedureId);
    if (served === undefined) return 'noProcedure';
    const value = request === undefined ? undefined : served.procedure.request.decode(request);
    if (value === undefined) {
      counters.malformed++;
      return 'wrongArguments';
    }
    counters.served++;
    const from: Caller = { host: client, bootId };
    const { trace } = machine.engine;
    if (trace.on) trace.emit('rpc.serve', machine.scope, { from: client, procedure: procedureId, id });
    let outcome: string = 'killed';
    try {
      const result = yield* served.handler(value, from);
      outcome = result === silent ? 'noAnswer' : 'reply';
      if (result === silent) return 'noAnswer';
      const reply = served.procedure.reply.encode(result);
      checkSize(traits, machine, 'reply', served.procedure.name, reply);
      return reply;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      outcome = e.kind;
      return e.kind;
    } finally {
      if (trace.on)
        trace.emit('rpc.served', machine.scope, { from: client, procedure: procedureId, id, outcome });
    }
  }
}
