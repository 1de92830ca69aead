/**
 * What hosts say to one another about streams that move. Sprite's FS_MIGRATE (30) and FS_RELEASE_NEW (41); it had no
 * numbers for the others: its file calls named the stream.
 */
import {
  type HostId,
  hostId,
  inParameters,
  type Movable,
  noPayload,
  type Payload,
  type PayloadCodec,
  type Procedure,
  type StreamId,
  streamId,
  type Turn,
  withData,
} from '@backplane/slots';
import {
  ByteReader,
  ByteWriter as Bytes,
  type ByteWriter,
  decodeUtf8,
  encodeUtf8,
  record,
} from '@backplane/wire';

const idBytesMax = 64;
const sharersMax = 256;

const writeCount = (to: ByteWriter, n: number): ByteWriter => to.number64(n);
const readCount = (from: ByteReader): number => from.number64();
const writeHosts = (to: ByteWriter, hosts: readonly HostId[]): ByteWriter =>
  to.list(hosts, (w, h) => void w.u32(h));
const readHosts = (from: ByteReader): readonly HostId[] => from.list((r) => hostId(r.u32()), sharersMax);
const readId = (from: ByteReader): StreamId => streamId(from.string(idBytesMax));

export interface MigrateRequest {
  readonly movable: Movable;
  /** The target uses the stream already. */
  readonly joins: boolean;
}
export interface Migrated {
  readonly alone: boolean;
  readonly offset: number;
  readonly turn: number;
  readonly sharers: readonly HostId[];
}

/** A movable is plain, and only its kind knows all of it: it travels as text. */
const migrateRequest: PayloadCodec<MigrateRequest> = {
  encode: ({ movable, joins }): Payload => ({
    parameters: new Bytes().bool(joins).finish(),
    data: encodeUtf8(JSON.stringify(movable)),
  }),
  decode({ parameters, data }) {
    const from = new ByteReader(parameters);
    const joins = from.bool();
    const movable = movableOf(data);
    return from.failed || from.remaining > 0 || movable === undefined ? undefined : { movable, joins };
  },
};

function movableOf(text: Uint8Array): Movable | undefined {
  let m: unknown;
  try {
    m = JSON.parse(decodeUtf8(text) ?? '');
  } catch {
    return undefined;
  }
  return isMovable(m) ? m : undefined;
}

function isMovable(value: unknown): value is Movable {
  if (!isRecord(value)) return false;
  const { ref, how, streamId: id, source, ticket, offset } = value;
  return (
    isRecord(ref) &&
    [ref['kind'], ref['protocol'], ref['authority'], id].every((t) => typeof t === 'string') &&
    isRecord(how) &&
    [source, ticket, offset].every((n) => Number.isSafeInteger(n) && (n as number) >= 0)
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Target to I/O server: fetch the reference, and let us have its use. */
export const migrate: Procedure<MigrateRequest, { readonly record: Migrated; readonly data: Uint8Array }> = {
  id: 30,
  name: 'migrate',
  request: migrateRequest,
  reply: withData(
    record<Migrated>(
      'migrated',
      (to, m) => void writeHosts(writeCount(writeCount(to.bool(m.alone), m.offset), m.turn), m.sharers),
      (from) => ({
        alone: from.bool(),
        offset: readCount(from),
        turn: readCount(from),
        sharers: readHosts(from),
      }),
    ),
  ),
};

export interface ReleaseRequest {
  readonly id: StreamId;
  /** Of the reference that leaves; 0: none does, others have come to use the stream too. */
  readonly ticket: number;
  /** Who may use it from now on. */
  readonly sharers: readonly HostId[];
}
export interface Released {
  readonly inUse: boolean;
  /** It has an offset. */
  readonly seekable: boolean;
  /** The offset was valid here; else it is the newest that is known here. */
  readonly held: boolean;
  readonly offset: number;
  readonly turn: number;
  /** Who used it before, as far as is known here. */
  readonly sharers: readonly HostId[];
}
/** I/O server to a host that uses the stream: from now on the offset is the server's. */
export const release: Procedure<ReleaseRequest, Released> = {
  id: 41,
  name: 'release',
  request: inParameters(
    record(
      'release',
      (to, q) => void writeHosts(writeCount(to.string(q.id), q.ticket), q.sharers),
      (from) => ({ id: readId(from), ticket: readCount(from), sharers: readHosts(from) }),
    ),
  ),
  reply: inParameters(
    record(
      'released',
      (to, r) => {
        to.bool(r.inUse).bool(r.seekable).bool(r.held);
        writeHosts(writeCount(writeCount(to, r.offset), r.turn), r.sharers);
      },
      (from) => ({
        inUse: from.bool(),
        seekable: from.bool(),
        held: from.bool(),
        offset: readCount(from),
        turn: readCount(from),
        sharers: readHosts(from),
      }),
    ),
  ),
};

const turn: PayloadCodec<Turn> = inParameters(
  record<Turn>(
    'turn',
    (to, t) => void writeCount(writeCount(to, t.next), t.turn).bool(t.alone),
    (from) => ({ next: readCount(from), turn: readCount(from), alone: from.bool() }),
  ),
);

export interface RejoinRequest {
  readonly id: StreamId;
  /** The newest offset that is known at this sharer, and after which operation it was that. */
  readonly offset: number;
  readonly turn: number;
  readonly sharers: readonly HostId[];
}
/** A sharer that the I/O server does not know (any more) says what it knows. */
export const rejoin: Procedure<RejoinRequest, Turn> = {
  id: 130,
  name: 'rejoinStream',
  request: inParameters(
    record(
      'rejoin',
      (to, q) => void writeHosts(writeCount(writeCount(to.string(q.id), q.offset), q.turn), q.sharers),
      (from) => ({
        id: readId(from),
        offset: readCount(from),
        turn: readCount(from),
        sharers: readHosts(from),
      }),
    ),
  ),
  reply: turn,
};

/** A sharer has closed its last reference. */
export const leave: Procedure<StreamId, null> = {
  id: 131,
  name: 'leaveStream',
  request: inParameters(record<StreamId>('leave', (to, id) => void to.string(id), readId)),
  reply: noPayload,
};

export interface SeekRequest {
  readonly id: StreamId;
  readonly to: number;
  readonly from: 'start' | 'current';
}
export const seekShared: Procedure<SeekRequest, Turn> = {
  id: 132,
  name: 'seekShared',
  request: inParameters(
    record<SeekRequest>(
      'seek',
      (to, q) =>
        void to
          .string(q.id)
          .i64(BigInt(q.to))
          .bool(q.from === 'current'),
      (from) => ({
        id: readId(from),
        to: Number(from.i64()),
        from: from.bool() ? 'current' : 'start',
      }),
    ),
  ),
  reply: turn,
};
