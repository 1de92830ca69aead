/**
 * The board for slot `streams`: the switch and the open-file table.
 *
 * A name operation goes through the process's view, which finds a target; the protocol of the target does the rest. An
 * open that meets an object of another kind is finished by that kind, after naming is done. Reads and writes that have
 * nothing to do are tried again when the object wakes them; those at an offset that the I/O server holds for several
 * hosts, when the server has been told again that this host is one of them.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  aboutOf,
  type Component,
  type Credentials,
  defineComponent,
  type Elsewhere,
  type FileProtocol,
  type HostId,
  isKernelError,
  KernelError,
  type LockMode,
  type Machine,
  type Movable,
  type Mover,
  type NameOps,
  type NameTarget,
  type NameView,
  type ObjectKind,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Ready,
  type Stream,
  type StreamId,
  type StreamPlace,
  type Streams,
  streamId,
  type Transport,
  type Turn,
  type TwoNameOp,
  type Undo,
  type Waiter,
} from '@backplane/slots';
import { Moves } from './moves.ts';
import { Shadows } from './shadows.ts';
import { OpenStream } from './stream.ts';
import { type Kinds, type Protocols, Switch } from './switch.ts';
import { version } from './version.ts';
import { Waits } from './waits.ts';
import { remoteWakeUp } from './wake-up.ts';

export const streams: Component<'streams'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/streams',
  version,
  slot: 'streams',
  contract: 1,
  requires: ['transport'],
  create: ({ transport }, _options, machine) => new StreamTable(transport, machine),
});

class StreamTable implements Streams {
  static {
    tasks(StreamTable);
  }

  readonly #transport: Transport;
  readonly #machine: Machine;
  readonly #protocols: Protocols = new Switch('file protocol');
  readonly #kinds: Kinds = new Switch('kind of object');
  readonly #waits: Waits;
  readonly #moves: Moves;
  readonly #shadows: Shadows;
  #opened = 0;

  constructor(transport: Transport, machine: Machine) {
    this.#transport = transport;
    this.#machine = machine;
    this.#waits = new Waits(machine.host);
    const { scope } = machine;
    transport.serve(remoteWakeUp, function* (ticket) {
      // The waiter goes on in its own time: who wakes it does not wait for what it does.
      scope.spawn('wake-up', wakeUp(ticket));
      return null;
    });
    const waits = this.#waits;
    function* wakeUp(ticket: number): Task<void> {
      waits.wake(ticket);
    }
    const moverOf = (ref: ObjectRef): Mover => this.#moverOf(ref);
    this.#moves = new Moves(transport, machine, moverOf);
    this.#shadows = new Shadows(transport, moverOf);
    machine.metrics.register('streams.opened', () => this.#opened);
    machine.metrics.register('streams.open', () => this.#moves.open);
    machine.metrics.register('streams.arrived', () => this.#moves.arrived);
    machine.metrics.register('streams.departed', () => this.#moves.departed);
    machine.metrics.register('streams.shadows', () => this.#shadows.count);
  }

  protocol(p: FileProtocol): Undo {
    return this.#protocols.add(p.protocol, p);
  }

  kind(k: ObjectKind): Undo {
    return this.#kinds.add(k.kind, k);
  }

  // ---- names

  *open(v: NameView, name: string, how: OpenHow, who: Credentials): Task<Stream> {
    const found = yield* v.perform<OpenObject | Elsewhere>(name, 'object', (t) =>
      this.#protocols.find(t.protocol).open(t, how, who),
    );
    return this.#enter(
      'elsewhere' in found ? yield* this.#kinds.find(found.elsewhere.kind).open(found, how, who) : found,
    );
  }

  *name<K extends keyof NameOps>(
    v: NameView,
    name: string,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<NameOps[K]['out']> {
    return yield* v.perform<NameOps[K]['out']>(name, aboutOf(op), (t) =>
      this.#protocols.find(t.protocol).name(t, op, argument, who),
    );
  }

  *nameTwo(v: NameView, op: TwoNameOp, first: string, second: string, who: Credentials): Task<void> {
    const settle = (t: NameTarget) => this.#protocols.find(t.protocol).name(t, 'stat', { follow: true }, who);
    yield* v.performTwo<null>(first, second, op === 'link' ? 'object' : 'entry', settle, (a, b) =>
      this.#protocols.find(a.protocol).nameTwo(op, a, b, who),
    );
  }

  *chdir(v: NameView, name: string, who: Credentials): Task<void> {
    yield* v.chdir(name, (t) => this.#protocols.find(t.protocol).name(t, 'enter', {}, who));
  }

  pair(kind: string): { readonly read: Stream; readonly write: Stream } {
    const pair = this.#kinds.find(kind).pair?.();
    if (pair === undefined) throw new KernelError('unsupported', `a ${kind} has no two ends`);
    return { read: this.#enter(pair.read), write: this.#enter(pair.write) };
  }

  // ---- reading and writing

  *read(s: Stream, count: number, nonBlocking = false): Task<Uint8Array> {
    const stream = own(s);
    const { object } = stream;
    if (object.how.read !== true && object.how.execute !== true)
      throw new KernelError('badHandle', 'not open for reading');
    const seekable = object.traits.seekable;
    if (seekable) yield* stream.lock.acquire();
    try {
      for (;;) {
        const waiter = this.#waits.open();
        const { asked } = stream;
        try {
          const { bytes, next, turn } = yield* object.read(stream.position, count, waiter);
          this.#waits.close(waiter);
          stream.went(next, turn, asked);
          return bytes;
        } catch (e) {
          yield* this.#sitOut(stream, e, waiter, nonBlocking);
        }
      }
    } finally {
      if (seekable) stream.lock.release();
    }
  }

  *write(s: Stream, bytes: Uint8Array, nonBlocking = false): Task<number> {
    const stream = own(s);
    const { object } = stream;
    if (object.how.write !== true) throw new KernelError('badHandle', 'not open for writing');
    const seekable = object.traits.seekable;
    if (seekable) yield* stream.lock.acquire();
    try {
      let written = 0;
      for (;;) {
        const waiter = this.#waits.open();
        const { asked } = stream;
        try {
          const at = object.how.append === true ? 'end' : stream.position;
          const { count, next, turn } = yield* object.write(
            at,
            written === 0 ? bytes : bytes.subarray(written),
            waiter,
          );
          this.#waits.close(waiter);
          yield* this.#wrote(stream, next, turn, asked);
          written += count;
          // An object that took only a part has no room for the rest now: it will say so, and wake us.
          if (written >= bytes.length) return written;
        } catch (e) {
          if (nonBlocking && written > 0 && isKernelError(e, 'wouldBlock')) return written;
          yield* this.#sitOut(stream, e, waiter, nonBlocking);
        }
      }
    } finally {
      if (seekable) stream.lock.release();
    }
  }

  /** An append goes to the end; the offset that several hosts share follows where somebody may read from it. */
  *#wrote(stream: OpenStream, next: number, turn: Turn | undefined, asked: number): Task<void> {
    if (turn === undefined && stream.shared && stream.object.how.read === true)
      yield* this.#moves.seek(stream, next, 'start');
    else stream.went(next, turn, asked);
  }

  *readAt(s: Stream, at: number, count: number): Task<Uint8Array> {
    const { object } = own(s);
    demandOffset(object, at);
    if (object.how.read !== true && object.how.execute !== true)
      throw new KernelError('badHandle', 'not open for reading');
    const waiter = this.#waits.open();
    try {
      return (yield* object.read(at, count, waiter)).bytes;
    } finally {
      this.#waits.close(waiter);
    }
  }

  *writeAt(s: Stream, at: number, bytes: Uint8Array): Task<number> {
    const { object } = own(s);
    demandOffset(object, at);
    if (object.how.write !== true) throw new KernelError('badHandle', 'not open for writing');
    const waiter = this.#waits.open();
    try {
      return (yield* object.write(at, bytes, waiter)).count;
    } finally {
      this.#waits.close(waiter);
    }
  }

  *seek(s: Stream, to: number, from: 'start' | 'current' | 'end'): Task<number> {
    const stream = own(s);
    if (!stream.object.traits.seekable) throw new KernelError('notSeekable');
    yield* stream.lock.acquire();
    try {
      const end = from === 'end' ? (yield* stream.object.attributes()).sizeBytes : 0;
      if (stream.shared)
        return yield* this.#moves.seek(stream, end + to, from === 'current' ? from : 'start');
      const offset = (from === 'current' ? stream.offset : end) + to;
      if (!Number.isSafeInteger(offset) || offset < 0)
        throw new KernelError('badArgument', `offset ${offset}`);
      stream.offset = offset;
      return offset;
    } finally {
      stream.lock.release();
    }
  }

  *syncAll(): Task<void> {
    for (const p of [...this.#protocols.all()]) yield* p.sync();
  }

  // ---- waiting

  *select(
    wanted: readonly { readonly stream: Stream; readonly read: boolean; readonly write: boolean }[],
    timeoutNs: number,
  ): Task<readonly Ready[]> {
    const deadlineNs = this.#machine.engine.nowNs + timeoutNs;
    for (;;) {
      const waiter = this.#waits.open();
      const ready: Ready[] = [];
      let any = false;
      for (const w of wanted) {
        const r = yield* w.stream.object.poll(waiter);
        const relevant = { read: r.read && w.read, write: r.write && w.write, exception: r.exception };
        any ||= relevant.read || relevant.write || relevant.exception;
        ready.push(relevant);
      }
      const leftNs = deadlineNs - this.#machine.engine.nowNs;
      if (any || leftNs <= 0) {
        this.#waits.close(waiter);
        return ready;
      }
      yield* this.#waits.wait(waiter, Number.isFinite(leftNs) ? leftNs : undefined);
    }
  }

  *lock(s: Stream, mode: LockMode, o: { readonly wait: boolean }): Task<void> {
    const stream = own(s);
    for (;;) {
      const waiter = this.#waits.open();
      try {
        yield* stream.object.lock(mode, stream.id, waiter);
        this.#waits.close(waiter);
        return;
      } catch (e) {
        yield* this.#sitOut(stream, e, waiter, !o.wait);
      }
    }
  }

  wake(w: Waiter): void {
    if (w.host === this.#machine.host) this.#waits.wake(w.ticket);
    else this.#machine.scope.spawn('wake-up', this.#wakeRemote(w));
  }

  /** A lost wake-up means a lost host: its waits are lost with it. */
  *#wakeRemote(w: Waiter): Task<void> {
    try {
      yield* this.#transport.call(w.host, remoteWakeUp, w.ticket);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  /** After an operation that may be tried again, when the object has woken us, or the server knows us again. */
  *#sitOut(stream: OpenStream, e: unknown, waiter: Waiter, nonBlocking: boolean): Task<void> {
    if (stream.shared && isKernelError(e, 'recovering')) {
      this.#waits.close(waiter);
      yield* this.#moves.rejoin(stream);
      return;
    }
    if (nonBlocking || !isKernelError(e, 'wouldBlock')) {
      this.#waits.close(waiter);
      throw e;
    }
    yield* this.#waits.wait(waiter);
  }

  // ---- the table

  share(s: Stream): Stream {
    own(s).references++;
    return s;
  }

  *close(s: Stream): Task<void> {
    yield* this.#moves.close(own(s));
  }

  #enter(object: OpenObject): OpenStream {
    const id = streamId(`${this.#machine.host}.${this.#machine.bootId}.${++this.#opened}`);
    return this.#moves.entered(new OpenStream(id, object));
  }

  // ---- moving

  describe(s: Stream): Movable {
    return this.#moves.describe(own(s));
  }

  withdraw(m: Movable): boolean {
    return this.#moves.withdraw(m);
  }

  *adopt(m: Movable): Task<Stream> {
    return yield* this.#moves.adopt(m);
  }

  *handOver(server: HostId, m: Movable): Task<{ readonly place: StreamPlace; readonly granted: Uint8Array }> {
    return yield* this.#moves.handOver(server, m);
  }

  *fetch(m: Movable): Task<StreamPlace> {
    return yield* this.#moves.fetch(m);
  }

  *atShared<T extends { readonly next: number }>(
    id: StreamId,
    by: HostId,
    operation: (offset: number) => Task<T>,
  ): Task<{ readonly result: T; readonly turn: Turn }> {
    return yield* this.#shadows.at(id, by, operation);
  }

  #moverOf({ kind, protocol }: ObjectRef): Mover {
    return kind === 'file' ? this.#protocols.find(protocol) : this.#kinds.find(kind);
  }
}

/** Streams are made here only, so every stream that comes back is one of ours. */
const own = (s: Stream): OpenStream => s as OpenStream;

function demandOffset(object: OpenObject, at: number): void {
  if (!object.traits.seekable) throw new KernelError('notSeekable');
  if (!Number.isSafeInteger(at) || at < 0) throw new KernelError('badArgument', `offset ${at}`);
}
