/**
 * The calls that entities take: numbers 140 to 146.
 *
 *   140 request       client's host, or a forwarder's, to the server's      one call brings the response too, if it is soon
 *   141 groupRequest  to everybody                                          a member is busy, or still has it; else silence
 *   142 response      server's host to the client's                         is it still wanted?
 *   143 askAgain      client's host to the one that has the request         what became of it
 *   144 giveUp        the same                                              nothing
 *   145 locate        to one host or to everybody                           since when the entity is there
 *   146 segmentPart   receiver of a message to its sender                   what did not fit beside the control bytes
 *
 * A message travels as its 32 bytes in the parameter area and its segment in the data area; of a segment that is longer
 * than that may be, the receiver fetches the rest.
 */
import {
  controlBytes,
  type EntityId,
  entityId,
  entityWords,
  type HostId,
  inParameters,
  noPayload,
  type Payload,
  type PayloadCodec,
  type Procedure,
  segmentBytesMax,
} from '@backplane/slots';
import { ByteReader, ByteWriter, record } from '@backplane/wire';
import { forwardsMax, type PlainWord, plainWords, type Request } from './request.ts';

/** A message cut to the size of a call. */
export interface Cut {
  readonly control: Uint8Array;
  readonly segmentBytes: number;
  /** Of a segment that goes on beyond `first`: under what its rest is fetched from the sender; else 0. */
  readonly rest: number;
  readonly first: Uint8Array;
}

export interface CutRequest extends Omit<Request, 'message'> {
  readonly cut: Cut;
}
/** A `Word` of which the response may be cut. */
export type CutWord =
  | { readonly what: PlainWord }
  | { readonly what: 'responded'; readonly from: EntityId; readonly cut: Cut }
  | { readonly what: 'forwarded'; readonly by: { readonly host: HostId; readonly to: EntityId } };

export interface CutResponse {
  readonly client: EntityId;
  /** The life of the client's host in which it asked. */
  readonly bootId: number;
  readonly transaction: number;
  readonly from: EntityId;
  readonly cut: Cut;
}

/** Which transaction. */
export interface Name {
  readonly client: EntityId;
  readonly transaction: number;
}
export interface Again extends Name {
  /** Who was asked, after all forwards. */
  readonly to: EntityId;
}

// ---- areas ----

const parametersBytes = 104;
const priorityMax = 15;
const noBytes = new Uint8Array(0);

const putEntity = (to: ByteWriter, e: EntityId): ByteWriter => {
  const [high, low] = entityWords(e);
  return to.u32(high).u32(low);
};
const hex = (word: number): string => word.toString(16).padStart(8, '0');
const takeEntity = (from: ByteReader): EntityId => entityId(hex(from.u32()) + hex(from.u32()));
/** Hosts are 1 to 199. */
const takeHost = (from: ByteReader): HostId => takeUpTo(from, 199, 1) as HostId; // boundary: the range is checked

function takeUpTo(from: ByteReader, most: number, least = 0): number {
  const value = from.u32();
  if (value < least || value > most) from.fail();
  return value;
}

const putCut = (to: ByteWriter, cut: Cut): ByteWriter =>
  to.u32(cut.segmentBytes).u32(cut.rest).bytes(cut.control);

function takeCut(from: ByteReader, first: Uint8Array): Cut {
  const segmentBytes = from.u32();
  const rest = from.u32();
  const whole = rest === 0 ? first.length === segmentBytes : first.length < segmentBytes;
  if (segmentBytes > segmentBytesMax || !whole) from.fail();
  return { segmentBytes, rest, control: from.bytes(controlBytes), first };
}

/** A value in the parameter area, of which the data area is the segment. */
const areas = <T>(
  write: (to: ByteWriter, value: T) => Uint8Array,
  read: (from: ByteReader, data: Uint8Array) => T,
): PayloadCodec<T> => ({
  encode(value): Payload {
    const to = new ByteWriter({ capacity: parametersBytes });
    const data = write(to, value);
    return { parameters: to.finish(), data };
  },
  decode({ parameters, data }) {
    const from = new ByteReader(parameters);
    const value = read(from, data);
    return from.failed || from.remaining > 0 ? undefined : value;
  },
});

// ---- requests ----

const requests: PayloadCodec<CutRequest> = /* @__PURE__ */ areas(
  (to, q) => {
    putEntity(to, q.client).u32(q.origin.host).u32(q.origin.bootId).u32(q.transaction);
    putEntity(to.number64(q.startNs), q.to).u32(q.priority).u32(q.forwards);
    putCut(to, q.cut);
    return q.cut.first;
  },
  (from, data) => ({
    client: takeEntity(from),
    origin: { host: takeHost(from), bootId: from.u32() },
    transaction: from.u32(),
    startNs: from.number64(),
    to: takeEntity(from),
    priority: takeUpTo(from, priorityMax),
    forwards: takeUpTo(from, forwardsMax),
    cut: takeCut(from, data),
  }),
);

const responded = plainWords.length;
const forwarded = plainWords.length + 1;

const words: PayloadCodec<CutWord> = /* @__PURE__ */ areas<CutWord>(
  (to, w) => {
    if (w.what === 'responded') {
      putCut(putEntity(to.u32(responded), w.from), w.cut);
      return w.cut.first;
    }
    if (w.what === 'forwarded') putEntity(to.u32(forwarded).u32(w.by.host), w.by.to);
    else to.u32(plainWords.indexOf(w.what));
    return noBytes;
  },
  (from, data) => {
    const number = from.u32();
    if (number === responded) return { what: 'responded', from: takeEntity(from), cut: takeCut(from, data) };
    if (number === forwarded)
      return { what: 'forwarded', by: { host: takeHost(from), to: takeEntity(from) } };
    const what = plainWords[number];
    if (what === undefined) from.fail();
    return { what: what ?? 'unknown' };
  },
);

export const request: Procedure<CutRequest, CutWord> = {
  id: 140,
  name: 'entity request',
  request: requests,
  reply: words,
};
export const groupRequest: Procedure<CutRequest, CutWord> = {
  id: 141,
  name: 'group request',
  request: requests,
  reply: words,
};

// ---- responses ----

const responses: PayloadCodec<CutResponse> = /* @__PURE__ */ areas(
  (to, r) => {
    putCut(putEntity(putEntity(to, r.client).u32(r.bootId).u32(r.transaction), r.from), r.cut);
    return r.cut.first;
  },
  (from, data) => ({
    client: takeEntity(from),
    bootId: from.u32(),
    transaction: from.u32(),
    from: takeEntity(from),
    cut: takeCut(from, data),
  }),
);

const yesOrNo: PayloadCodec<boolean> = /* @__PURE__ */ inParameters(
  /* @__PURE__ */ record(
    'yes or no',
    (to, value) => void to.bool(value),
    (from) => from.bool(),
  ),
);

/** Answers whether the response was still wanted. */
export const response: Procedure<CutResponse, boolean> = {
  id: 142,
  name: 'entity response',
  request: responses,
  reply: yesOrNo,
};

// ---- transactions that take long ----

export const askAgain: Procedure<Again, CutWord> = {
  id: 143,
  name: 'ask again',
  request: /* @__PURE__ */ inParameters(
    /* @__PURE__ */ record<Again>(
      'transaction of an entity',
      (to, q) => void putEntity(putEntity(to, q.client).u32(q.transaction), q.to),
      (from) => ({ client: takeEntity(from), transaction: from.u32(), to: takeEntity(from) }),
    ),
  ),
  reply: words,
};

export const giveUp: Procedure<Name, null> = {
  id: 144,
  name: 'give up',
  request: /* @__PURE__ */ inParameters(
    /* @__PURE__ */ record<Name>(
      'transaction',
      (to, q) => void putEntity(to, q.client).u32(q.transaction),
      (from) => ({ client: takeEntity(from), transaction: from.u32() }),
    ),
  ),
  reply: noPayload,
};

// ---- places ----

export interface Question {
  readonly entity: EntityId;
  /** It goes to every host: who does not have the entity is silent. */
  readonly toEverybody: boolean;
}

/** Answers since which instant of virtual time the entity, or a member of the group, is there; null if it is not. */
export const locate: Procedure<Question, number | null> = {
  id: 145,
  name: 'locate entity',
  request: /* @__PURE__ */ inParameters(
    /* @__PURE__ */ record<Question>(
      'where is it',
      (to, q) => void putEntity(to, q.entity).bool(q.toEverybody),
      (from) => ({ entity: takeEntity(from), toEverybody: from.bool() }),
    ),
  ),
  // Neither undefined nor null is left to the codec of a record: null is a value here.
  reply: /* @__PURE__ */ areas<number | null>(
    (to, sinceNs) => {
      to.bool(sinceNs !== null).number64(sinceNs ?? 0);
      return noBytes;
    },
    (from) => {
      const here = from.bool();
      const sinceNs = from.number64();
      return here ? sinceNs : null;
    },
  ),
};

// ---- long segments ----

export interface Part {
  readonly rest: number;
  readonly from: number;
}

/** As much of the segment as a call may carry. */
export const segmentPart: Procedure<Part, Uint8Array> = {
  id: 146,
  name: 'segment part',
  request: /* @__PURE__ */ inParameters(
    /* @__PURE__ */ record<Part>(
      'part of a segment',
      (to, q) => void to.u32(q.rest).u32(q.from),
      (from) => ({ rest: from.u32(), from: from.u32() }),
    ),
  ),
  reply: {
    encode: (data) => ({ parameters: noBytes, data }),
    decode: ({ data }) => data,
  },
};
