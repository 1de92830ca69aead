/**
 * What an entity takes along when it leaves for another host, as bytes: its own transaction, and of its clients what its host
 * knows of the last transaction of each, so that what is repeated is recognised there.
 *
 *   of its transaction              there
 *   it is under way                 sent again under its number, to where it went: servers know it
 *   of a request to it              there
 *   it is processed                 the same, to be answered from there
 *   its response is kept            kept
 *   it may be done again            nothing
 *   it was forwarded                known: the next server answers it, and is asked again
 *   it was answered, or discarded   known, so that it is not executed again
 *   its client has the response     the same: see `HeardClient`
 *   the client has begun another    that it has: the same
 *
 * Streams do not move: their clients end with an error.
 */
import { controlBytes, type EntityId, entityId, KernelError, type Message } from '@backplane/slots';
import { ByteReader, ByteWriter } from '@backplane/wire';
import { here, type Place } from './carrier.ts';
import { limits } from './layout.ts';
import type { RequestPath, RequestState, ServedRequest } from './served-request.ts';

/** Its last transaction. */
export interface MovedTransaction {
  readonly number: number;
  /** Where it went, while it is under way and somebody elsewhere, or here, may have it. */
  readonly at: { readonly place: Place; readonly multicast: boolean } | null;
}

const states = ['processing', 'responded', 'discarded', 'forwarded'] as const;
export type MovedRequestState = (typeof states)[number];

export interface MovedRequest {
  readonly path: RequestPath;
  readonly message: Message;
  readonly state: MovedRequestState;
  /** That is kept. */
  readonly response: Message | null;
  /** Where it was forwarded to, and with what. */
  readonly next: ServedRequest['next'];
}

/** A client that the entity has served, and the last transaction that its host has heard of: older ones were executed. */
export interface HeardClient {
  readonly client: EntityId;
  readonly transaction: number;
  /** That one was the entity's, and its client has the response. */
  readonly settled: boolean;
}

export interface MovedEntity {
  /** Null: it has made none. */
  readonly transaction: MovedTransaction | null;
  readonly heard: readonly HeardClient[];
  readonly requests: readonly MovedRequest[];
}

/** @param ownPlace what others call this host */
export function movedRequest(r: ServedRequest, ownPlace: Place | undefined): MovedRequest {
  const { path, message, state, out } = r;
  const from = path.from === here ? (ownPlace ?? here) : path.from;
  const kept = state === 'responded' ? (out?.groups[0]?.message ?? null) : null;
  return { path: { ...path, from }, message, state: stateOf(state, kept), response: kept, next: r.next };
}

function stateOf(state: RequestState, kept: Message | null): MovedRequestState {
  if (state === 'processing' || state === 'responding') return 'processing';
  if (state === 'forwarded') return state;
  return kept === null ? 'discarded' : 'responded';
}

const entityDigits = 16;

export function encodeMoved({ transaction, heard, requests }: MovedEntity): Uint8Array {
  const to = new ByteWriter().bool(transaction !== null);
  if (transaction !== null) {
    const { number, at } = transaction;
    to.u32(number).bool(at !== null);
    if (at !== null) to.i64(BigInt(at.place)).bool(at.multicast);
  }
  return to
    .list(heard, (w, { client, transaction, settled }) => w.string(client).u32(transaction).bool(settled))
    .list(requests, (w, { path, message, state, response, next }) => {
      w.string(path.client).string(path.to).u32(path.priority).u32(path.transaction).u32(path.forwardCount);
      w.i64(BigInt(path.from)).u32(path.gap).u32(path.retransmitCount);
      w.bool(path.multicast)
        .u32(states.indexOf(state))
        .bool(response !== null);
      writeMessage(w, message);
      if (response !== null) writeMessage(w, response);
      w.bool(next !== null);
      if (next !== null) writeMessage(w.string(next.to), next.message);
    })
    .finish();
}

/**
 * @param ownPlace what others call this host
 * @throws KernelError `badArgument`
 */
export function decodeMoved(bytes: Uint8Array, ownPlace: Place | undefined): MovedEntity {
  const from = new ByteReader(bytes);
  const transaction = from.bool()
    ? {
        number: from.u32(),
        at: from.bool() ? { place: Number(from.i64()), multicast: from.bool() } : null,
      }
    : null;
  const heard = from.list(
    (r): HeardClient => ({
      client: entityId(r.string(entityDigits)),
      transaction: r.u32(),
      settled: r.bool(),
    }),
  );
  const requests = from.list((r): MovedRequest => {
    const path: { from: Place } & RequestPath = {
      client: entityId(r.string(entityDigits)),
      to: entityId(r.string(entityDigits)),
      priority: r.u32(),
      transaction: r.u32(),
      forwardCount: r.u32(),
      from: Number(r.i64()),
      gap: r.u32(),
      retransmitCount: r.u32(),
      multicast: r.bool(),
      groups: 1,
      runs: false,
      streamed: false,
    };
    const state = states[r.u32()];
    if (state === undefined) r.fail();
    if (path.from === ownPlace) path.from = here;
    const hasResponse = r.bool();
    const message = readMessage(r);
    const response = hasResponse ? readMessage(r) : null;
    const next = r.bool() ? { to: entityId(r.string(entityDigits)), message: readMessage(r) } : null;
    return { path, message, state: state ?? 'discarded', response, next };
  });
  if (from.failed) throw new KernelError('badArgument', 'the state of an entity');
  return { transaction, heard, requests };
}

const writeMessage = (to: ByteWriter, { control, segment }: Message): void =>
  void to.bytes(control).opaque(segment);

const readMessage = (from: ByteReader): Message => ({
  control: from.bytes(controlBytes),
  segment: from.opaque(limits.groupBytes),
});
