/**
 * Where an operation goes: an offset, the end, or the offset that hosts share; on a wire, and at a server. What became of
 * a shared offset follows a reply, and nothing follows the others.
 */
import type { Task } from '@backplane/engine';
import {
  type FileId,
  type HostId,
  type Position,
  type Storage,
  type Streams,
  streamId,
  type Turn,
  type WriteWhen,
} from '@backplane/slots';
import type { ByteReader, ByteWriter } from '@backplane/wire';
import { readNs, writeNs } from './codecs.ts';

const streamIdBytesMax = 64;
const kinds = { offset: 0, end: 1, shared: 2 } as const;

export function writePosition(to: ByteWriter, p: Position): ByteWriter {
  if (typeof p === 'object') return to.u32(kinds.shared).string(p.shared);
  return p === 'end' ? writeNs(to.u32(kinds.end), 0) : writeNs(to.u32(kinds.offset), p);
}

export function readPosition(from: ByteReader): Position {
  const kind = from.u32();
  if (kind === kinds.shared) return { shared: streamId(from.string(streamIdBytesMax)) };
  const at = readNs(from);
  return kind === kinds.end ? 'end' : at;
}

/** At the end of a record. */
export function writeTurn(to: ByteWriter, turn: Turn | null): void {
  if (turn !== null) writeNs(writeNs(to, turn.next), turn.turn).bool(turn.alone);
}

export const readTurn = (from: ByteReader): Turn | null =>
  from.remaining === 0 ? null : { next: readNs(from), turn: readNs(from), alone: from.bool() };

/** What the server of a file and the host that asks have to do with an operation. */
interface Asked {
  readonly storage: Storage;
  readonly file: FileId;
  readonly streams: Streams;
  readonly by: HostId;
}

export function* readAtPosition(
  { storage, file, streams, by }: Asked,
  p: Position,
  count: number,
): Task<{ readonly record: Turn | null; readonly data: Uint8Array }> {
  if (typeof p === 'object') {
    const { result, turn } = yield* streams.atShared(p.shared, by, function* (at) {
      const data = yield* storage.read(file, at, count);
      return { data, next: at + data.length };
    });
    return { record: turn, data: result.data };
  }
  const at = p === 'end' ? (yield* storage.attributes(file)).sizeBytes : p;
  return { record: null, data: yield* storage.read(file, at, count) };
}

export function* writeAtPosition(
  { storage, file, streams, by }: Asked,
  p: Position,
  data: Uint8Array,
  when: WriteWhen,
): Task<{ readonly next: number; readonly turn: Turn | null }> {
  if (typeof p === 'object') {
    const { turn } = yield* streams.atShared(p.shared, by, function* (at) {
      yield* storage.write(file, at, data, when);
      return { next: at + data.length };
    });
    return { next: turn.next, turn };
  }
  const at = p === 'end' ? (yield* storage.attributes(file)).sizeBytes : p;
  yield* storage.write(file, at, data, when);
  return { next: at + data.length, turn: null };
}
