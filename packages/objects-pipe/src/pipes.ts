/**
 * The kind "pipe": the pipes of this host, and the ends here of other hosts' pipes.
 *
 * A pipe stays on the host that made it. An end that moves is used from there by calls; several hosts may use one end.
 * Each watches the other: an end whose host dies is closed, and a pipe whose host dies is lost.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type Elsewhere,
  type HostId,
  KernelError,
  type Machine,
  type Movable,
  type Move,
  type ObjectKind,
  type OpenHow,
  type OpenObject,
  type Ready,
  type StreamPlace,
  type Streams,
  type Transport,
  type Undo,
  type Waiter,
} from '@backplane/slots';
import { type End, Pipe } from './pipe.ts';
import { PipeEnd } from './pipe-end.ts';
import { endOf, makerOf, type Numbers, type PipeId, pipeIdOf, pipeKey } from './pipe-id.ts';
import { pipeClose, pipePoll, pipeRead, pipeUsed, pipeWrite, type Which } from './procedures.ts';
import { RemoteEnd } from './remote-end.ts';

const ends: readonly End[] = ['read', 'write'];
const nothing = new Uint8Array(0);

export class Pipes implements ObjectKind {
  static {
    tasks(Pipes);
  }

  readonly kind = 'pipe';
  readonly #machine: Machine;
  readonly #transport: Transport;
  readonly #streams: Streams;
  readonly #pipes = new Map<string, { readonly id: PipeId; readonly pipe: Pipe }>();
  readonly #remote = new Set<RemoteEnd>();
  /** Hosts that have an end of a pipe here: one for each pipe, end and host. */
  readonly #watched = new Map<string, Undo>();
  #made = 0;

  constructor(machine: Machine, transport: Transport, streams: Streams) {
    this.#machine = machine;
    this.#transport = transport;
    this.#streams = streams;
    transport.serve(pipeRead, (q, { host }) => this.#read(q, q.count, { host, ticket: q.ticket }));
    transport.serve(pipeWrite, ({ record: q, data }, { host }) =>
      this.#write(q, data, q.wanted, { host, ticket: q.ticket }),
    );
    transport.serve(pipePoll, (q, { host }) => this.#poll(q, { host, ticket: q.ticket }));
    transport.serve(pipeClose, (q, { host }) => this.#close(q, host));
    transport.serve(pipeUsed, (q, { host }) => this.#used(q, host));
    transport.peers.onDead((host) => this.#died(host));
  }

  pair(): { readonly read: OpenObject; readonly write: OpenObject } {
    const { host, bootId, engine } = this.#machine;
    const id: PipeId = { boot: bootId, number: ++this.#made, madeNs: engine.nowNs };
    const pipe = new Pipe((w) => this.#streams.wake(w), host);
    this.#pipes.set(pipeKey(id), { id, pipe });
    return { read: this.#own(id, 'read'), write: this.#own(id, 'write') };
  }

  *open(e: Elsewhere): Task<OpenObject> {
    throw new KernelError('unsupported', `a pipe is not opened by name: ${JSON.stringify(e.elsewhere.id)}`);
  }

  // ---- moving ----

  *adopt(m: Movable): Task<{ readonly object: OpenObject; readonly place: StreamPlace }> {
    const id = pipeIdOf(m.ref.id);
    if (id === undefined) throw new KernelError('badArgument', 'no name of a pipe');
    const { place } = yield* this.#streams.handOver(makerOf(m.ref), m);
    return { object: this.#end(m, id, m.how), place };
  }

  #end(m: Movable, id: PipeId, how: OpenHow): OpenObject {
    if (makerOf(m.ref) === this.#machine.host) return this.#own(id, endOf(how));
    const parts = { machine: this.#machine, transport: this.#transport, streams: this.#streams };
    const end = new RemoteEnd(parts, m.ref, id, how, (e) => this.#remote.delete(e));
    this.#remote.add(end);
    return end;
  }

  *move({ movable, to, targetLives, release }: Move): Task<Uint8Array> {
    const id = pipeIdOf(movable.ref.id);
    if (id === undefined) throw new KernelError('badArgument', 'no name of a pipe');
    const end = endOf(movable.how);
    const pipe = this.#pipeOf({ ...id, end }, movable.source);
    const left = yield* release();
    // The target first, or the other side would see the end closed.
    if (targetLives()) this.#enter(id, pipe, end, to);
    if (left) this.#leave(id, pipe, end, movable.source);
    if (!targetLives()) throw new KernelError('peerDown', `host ${to}`);
    return nothing;
  }

  #enter(id: PipeId, pipe: Pipe, end: End, host: HostId): void {
    pipe.enter(end, host);
    const key = `${pipeKey(id)}/${end}/${host}`;
    if (!this.#watched.has(key)) this.#watched.set(key, this.#transport.peers.watch(host));
  }

  #leave(id: Numbers, pipe: Pipe, end: End, host: HostId): void {
    const key = `${pipeKey(id)}/${end}/${host}`;
    this.#watched.get(key)?.();
    this.#watched.delete(key);
    pipe.leave(end, host);
    if (pipe.isAbandoned) this.#pipes.delete(pipeKey(id));
  }

  // ---- what hosts of ends ask ----

  *#read(
    q: Which,
    count: number,
    waiter: Waiter,
  ): Task<{ readonly record: null; readonly data: Uint8Array }> {
    return { record: null, data: this.#pipeOf(q, waiter.host).read(count, waiter) };
  }

  *#write(q: Which, data: Uint8Array, wanted: number, waiter: Waiter): Task<number> {
    return this.#pipeOf(q, waiter.host).write(data, waiter, wanted);
  }

  *#poll(q: Which, waiter: Waiter): Task<Ready> {
    return this.#pipeOf(q, waiter.host).poll(q.end, waiter);
  }

  *#close(q: Which, host: HostId): Task<null> {
    this.#leave(q, this.#pipeOf(q, host), q.end, host);
    return null;
  }

  *#used(q: Which, host: HostId): Task<number> {
    return this.#pipeOf(q, host).usedBytes;
  }

  /** @throws KernelError `stale` unless the host uses that end */
  #pipeOf(q: Which, host: HostId): Pipe {
    const pipe = this.#pipes.get(pipeKey(q))?.pipe;
    if (pipe?.isUsedBy(q.end, host) !== true)
      throw new KernelError('stale', `the ${q.end} end of pipe ${pipeKey(q)}`);
    return pipe;
  }

  *#died(host: HostId): Task<void> {
    for (const e of [...this.#remote]) if (e.host === host) e.lost();
    for (const { id, pipe } of [...this.#pipes.values()])
      for (const end of ends) if (pipe.isUsedBy(end, host)) this.#leave(id, pipe, end, host);
  }

  #own(id: PipeId, end: End): PipeEnd {
    const pipe = this.#pipes.get(pipeKey(id))?.pipe;
    if (pipe === undefined) throw new KernelError('stale', `pipe ${pipeKey(id)}`);
    return new PipeEnd(pipe, id, end, this.#machine, () => this.#leave(id, pipe, end, this.#machine.host));
  }
}
