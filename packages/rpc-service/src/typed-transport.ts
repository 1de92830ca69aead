/** The transport as boards see it: typed procedures in, bytes out. */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  type Answer,
  type AskOptions,
  Busy,
  type Caller,
  type EntityTransport,
  type HostId,
  KernelError,
  type Machine,
  type Payload,
  type Peers,
  type Procedure,
  type Silent,
  silent,
  type Transport,
  type Undo,
} from '@backplane/slots';
import type { CallCounters } from './call-counters.ts';
import { senselessReply } from './errors.ts';
import { chargeCopy, checkSize } from './payloads.ts';
import type { ServedProcedures } from './served-procedures.ts';
import type { TransportTraits } from './traits.ts';

/** An answer to a question to everybody, as bytes. */
export interface Found {
  readonly from: HostId;
  readonly payload: Payload;
}

/** The client's half of a protocol: carries requests to other hosts and brings back their replies. */
export interface Courier {
  /** @throws KernelError what the server answered; `peerDown` */
  call(to: HostId, procedure: number, payload: Payload): Task<Payload>;
  ask(procedure: number, payload: Payload, windowNs: number, enough: number): Task<readonly Found[]>;
}

export interface TypedTransportParts {
  readonly machine: Machine;
  readonly traits: TransportTraits;
  readonly courier: Courier;
  readonly procedures: ServedProcedures;
  readonly peers: Peers;
  readonly counters: CallCounters;
  /** From now on requests of other hosts are served. */
  readonly open: () => void;
}

export class TypedTransport implements Transport {
  static {
    tasks(TypedTransport);
  }

  readonly self: HostId;
  readonly maxParametersBytes: number;
  readonly maxDataBytes: number;
  readonly peers: Peers;
  /** A board that has them sets them when it is made. */
  entities?: EntityTransport;
  readonly #parts: TypedTransportParts;

  constructor(parts: TypedTransportParts) {
    this.#parts = parts;
    this.self = parts.machine.host;
    this.maxParametersBytes = parts.traits.limits.parametersBytes;
    this.maxDataBytes = parts.traits.limits.dataBytes;
    this.peers = parts.peers;
  }

  /** Runs at boot: this host serves from now on. */
  start(): void {
    this.#parts.open();
  }

  *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    const { courier, traits, counters } = this.#parts;
    if (to === this.self) return yield* this.#local(procedure, request);
    counters.calls++;
    const payload = this.#encoded(procedure, request);
    charge(traits.pathNs, Busy.network);
    const reply = yield* courier.call(to, procedure.id, payload);
    const value = procedure.reply.decode(reply);
    if (value === undefined) {
      counters.malformed++;
      throw senselessReply(to, procedure.name);
    }
    return value;
  }

  *ask<Q, R>(
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    { windowNs, enough }: AskOptions,
  ): Task<readonly Answer<R>[]> {
    const { courier, traits, counters } = this.#parts;
    counters.calls++;
    const payload = this.#encoded(procedure, request);
    charge(traits.pathNs, Busy.network);
    const found = yield* courier.ask(procedure.id, payload, windowNs, enough);
    const answers: Answer<R>[] = [];
    for (const { from, payload: bytes } of found) {
      const reply = procedure.reply.decode(bytes);
      if (reply === undefined) counters.malformed++;
      else answers.push({ from, reply });
    }
    return answers;
  }

  serve<Q, R>(
    procedure: Procedure<Q, R>,
    handler: (request: Q, from: Caller) => Task<NoInfer<R> | Silent>,
  ): Undo {
    return this.#parts.procedures.serve(procedure, handler);
  }

  /** A call to oneself: no packets, the same bytes, the same copies. */
  *#local<Q, R>(procedure: Procedure<Q, R>, request: Q): Task<R> {
    const { machine, traits, procedures, counters } = this.#parts;
    counters.localCalls++;
    const payload = this.#encoded(procedure, request);
    const served = procedures.get(procedure.id);
    if (served === undefined) throw new KernelError('unsupported', procedure.name);
    chargeCopy(machine, payload);
    const asked = served.procedure.request.decode(payload);
    if (asked === undefined) throw new KernelError('badArgument', procedure.name);
    const answer = yield* served.handler(asked, { host: this.self, bootId: machine.bootId });
    if (answer === silent) throw new KernelError('noAnswer', procedure.name);
    const reply = served.procedure.reply.encode(answer);
    checkSize(traits, machine, 'reply', procedure.name, reply);
    chargeCopy(machine, reply);
    const value = procedure.reply.decode(reply);
    if (value === undefined) throw senselessReply(this.self, procedure.name);
    return value;
  }

  #encoded<Q, R>(procedure: Procedure<Q, R>, request: Q): Payload {
    const payload = procedure.request.encode(request);
    checkSize(this.#parts.traits, this.#parts.machine, 'request', procedure.name, payload);
    return payload;
  }
}
