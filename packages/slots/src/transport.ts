/**
 * Slot `transport`: typed request and response between kernels.
 *
 * At most once: a handler runs at most once for a call, whatever the network loses, repeats or delays; if the peer
 * reboots in between, the call fails with `peerDown` and may or may not have run. A busy server is never a time-out.
 * What crosses is bytes: a value handed over by reference would work until the first crash test.
 */
import type { Task } from '@backplane/engine';
import type { Codec } from '@backplane/wire';
import type { EntityTransport } from './entities.ts';
import type { HostId, Undo } from './vocabulary.ts';

/**
 * A message in two areas, as Sprite's packets have them: integers and names in `parameters`, file bytes in `data`.
 * Both are handed over by reference and frozen. A transport without two areas sends one after the other.
 */
export interface Payload {
  readonly parameters: Uint8Array;
  readonly data: Uint8Array;
}

/** `decode` returns undefined for bytes that are not a value of this type: they may come from anybody. */
export interface PayloadCodec<T> {
  encode(value: T): Payload;
  decode(payload: Payload): T | undefined;
}

const noBytes = new Uint8Array(0);

/** A value that travels in the parameter area alone. */
export const inParameters = <T>(codec: Codec<T>): PayloadCodec<T> => ({
  encode: (value) => ({ parameters: codec.encode(value), data: noBytes }),
  decode: ({ parameters }) => codec.tryDecode(parameters),
});

/** A record in the parameter area, and bytes in the data area. */
export const withData = <T>(
  codec: Codec<T>,
): PayloadCodec<{ readonly record: T; readonly data: Uint8Array }> => ({
  encode: ({ record, data }) => ({ parameters: codec.encode(record), data }),
  decode: ({ parameters, data }) => {
    const record = codec.tryDecode(parameters);
    return record === undefined ? undefined : { record, data };
  },
});

/** Nothing at all: of a call that only has to have happened. */
export const noPayload: PayloadCodec<null> = {
  encode: () => ({ parameters: noBytes, data: noBytes }),
  decode: ({ parameters, data }) => (parameters.length === 0 && data.length === 0 ? null : undefined),
};

export interface Procedure<Q, R> {
  /** Unique among the boards of a kernel; Sprite's own numbers where Sprite had the procedure. */
  readonly id: number;
  readonly name: string;
  readonly request: PayloadCodec<Q>;
  readonly reply: PayloadCodec<R>;
}

/** A handler's "I do not answer": for questions to everybody that concern somebody else. */
export const silent: unique symbol = Symbol.for('@backplane/silent') as never;
export type Silent = typeof silent;

/** Who calls: the host and which of its lives. */
export interface Caller {
  readonly host: HostId;
  readonly bootId: number;
}

export interface AskOptions {
  readonly windowNs: number;
  /** Ends the wait as soon as so many have answered. */
  readonly enough: number;
}

export interface Answer<R> {
  readonly from: HostId;
  readonly reply: R;
}

export interface Transport {
  readonly self: HostId;
  readonly maxParametersBytes: number;
  readonly maxDataBytes: number;
  /**
   * A call to oneself runs the handler locally with the same copying, so that boards need no special case.
   *
   * @throws KernelError `peerDown` after silence; the kind that the handler threw; `unsupported` when nobody serves the
   * procedure there
   */
  call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R>;
  /** Asks every other host. May return nothing; never throws for silence. */
  ask<Q, R>(procedure: Procedure<Q, R>, request: NoInfer<Q>, options: AskOptions): Task<readonly Answer<R>[]>;
  /**
   * Serves a procedure. Each call runs on a thread of its own, may block and may call back, also its caller. It must
   * not wait for a user's action: it answers `wouldBlock` and wakes the waiter later. A KernelError becomes the
   * reply. No handler of a client runs before the `onDead` handlers for that client's earlier boot have finished.
   */
  serve<Q, R>(
    procedure: Procedure<Q, R>,
    handler: (request: Q, from: Caller) => Task<NoInfer<R> | Silent>,
  ): Undo;
  readonly peers: Peers;
  /** Capability `entities`: transactions between entities instead of kernels. */
  readonly entities?: EntityTransport;
}

/** What the transport knows about other hosts' lives. A partition looks like a crash. */
export interface Peers {
  /** Called on its own thread when a peer fell silent, or came back with another boot without having been missed. */
  onDead(f: (host: HostId) => Task<void>): Undo;
  /** A watched peer was heard again, after a reboot or a partition: `onDead` handlers for the time before have ended. */
  onReboot(f: (host: HostId) => Task<void>): Undo;
  /** Counted. A watched peer is pinged while it is otherwise silent, so that an idle host learns of a reboot. */
  watch(host: HostId): Undo;
  isAlive(host: HostId): boolean;
  /** Returns when the peer has been heard (again). */
  awaitAlive(host: HostId): Task<void>;
}
