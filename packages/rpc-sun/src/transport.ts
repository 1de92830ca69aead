/** The transport as boards see it: typed procedures in, bytes out. */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  type Answer,
  type AskOptions,
  Busy,
  type Caller,
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
import type { Client } from './client.ts';
import type { Counters } from './counters.ts';
import { messageTooLarge, senselessReply } from './errors.ts';
import { limits } from './layout.ts';
import type { ServedProcedures } from './procedures.ts';
import type { Servers } from './servers.ts';

export interface TransportParts {
  readonly machine: Machine;
  readonly client: Client;
  readonly servers: Servers;
  readonly procedures: ServedProcedures;
  readonly peers: Peers;
  readonly counters: Counters;
  readonly daemons: number;
}

export class SunTransport implements Transport {
  static {
    tasks(SunTransport);
  }

  readonly self: HostId;
  readonly maxParametersBytes: number = limits.parametersBytes;
  readonly maxDataBytes: number = limits.dataBytes;
  readonly peers: Peers;
  readonly #parts: TransportParts;

  constructor(parts: TransportParts) {
    this.#parts = parts;
    this.self = parts.machine.host;
    this.peers = parts.peers;
  }

  /** Runs at boot: this host serves from now on. */
  start(): void {
    this.#parts.servers.enable(this.#parts.daemons);
  }

  *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    const { client, machine, counters } = this.#parts;
    if (to === this.self) return yield* this.#local(procedure, request);
    counters.calls++;
    const payload = this.#encoded(procedure, request);
    charge(machine.type.costs.sunRpcPathNs, Busy.network);
    const reply = yield* client.call(to, procedure.id, payload);
    const value = procedure.reply.decode(reply);
    if (value === undefined) throw senselessReply(to, procedure.name);
    return value;
  }

  *ask<Q, R>(
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    { windowNs, enough }: AskOptions,
  ): Task<readonly Answer<R>[]> {
    const { client, machine, counters } = this.#parts;
    counters.calls++;
    const payload = this.#encoded(procedure, request);
    charge(machine.type.costs.sunRpcPathNs, Busy.network);
    const found = yield* client.ask(procedure.id, payload, windowNs, enough);
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
    const { machine, procedures, counters } = this.#parts;
    counters.localCalls++;
    const payload = this.#encoded(procedure, request);
    const served = procedures.get(procedure.id);
    if (served === undefined) throw new KernelError('unsupported', procedure.name);
    this.#copy(payload);
    const asked = served.procedure.request.decode(payload);
    if (asked === undefined) throw new KernelError('badArgument', procedure.name);
    const answer = yield* served.handler(asked, { host: this.self, bootId: machine.bootId });
    if (answer === silent) throw new KernelError('noAnswer', procedure.name);
    const reply = served.procedure.reply.encode(answer);
    this.#check(`the reply of ${procedure.name}`, reply);
    this.#copy(reply);
    const value = procedure.reply.decode(reply);
    if (value === undefined) throw senselessReply(this.self, procedure.name);
    return value;
  }

  #encoded<Q, R>(procedure: Procedure<Q, R>, request: Q): Payload {
    const payload = procedure.request.encode(request);
    this.#check(`the request of ${procedure.name}`, payload);
    return payload;
  }

  #check(what: string, { parameters, data }: Payload): void {
    if (parameters.length <= limits.parametersBytes && data.length <= limits.dataBytes) return;
    throw messageTooLarge(this.#parts.machine.name, what, parameters.length, data.length);
  }

  #copy({ parameters, data }: Payload): void {
    const { copyNsPerByte } = this.#parts.machine.type.costs;
    const ns = Math.round(copyNsPerByte * (parameters.length + data.length));
    if (ns > 0) charge(ns, Busy.network);
  }
}
