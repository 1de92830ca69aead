/**
 * Moves between hosts, and the server that each kernel runs for them.
 *
 * RFC 1045 has no packets for MoveTo and MoveFrom: data travel in the segments of transactions. This protocol is our own.
 * The mover's kernel asks the group of memory managers, co-resident with the process whose memory is meant, so that
 * the request finds its host wherever it is now; the manager there makes the checks and moves the bytes.
 *
 *   operation       words 1, 2         3         4                       5, 6                            7
 *   ReadSegment     the granter        address   number of the grant     the mover                       bytes
 *   WriteSegment    the granter        address   number of the grant     the mover                       bytes of the segment
 *   PassGrant       the granter        the next holder, in 3 and 4       who has the request now         number of the grant
 *
 * The response is a code, of ReadSegment with the bytes as its segment and marked as one that may be given again. More
 * than `segmentBytesMax` bytes are several transactions. PassGrant goes before a request with a grant that is forwarded:
 * the granter's host then lets in the moves of the next holder instead of the present one's.
 *
 * Kernels trust each other: a host that names a mover is believed that this process has the request.
 */
import { type Task, task } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  entityIn,
  entityWords,
  isGroup,
  type Message,
  MessageFlag,
  type MessageProcedure,
  message,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { type Mover, matches, readGranted, writeGranted } from './granted.ts';
import type { Process } from './process.ts';

/** The operations, as codes of requests. */
export const SegmentCode = { read: 0x0301, write: 0x0302, passGrant: 0x0303 } as const;

export const readSegment = (granter: EntityId, mover: Mover, address: number, bytes: number): Message =>
  message({
    code: SegmentCode.read,
    coResident: granter,
    words: [0, 0, address, mover.number, ...entityWords(mover.id), bytes],
  });

export const writeSegment = (
  granter: EntityId,
  mover: Mover,
  address: number,
  segment: Uint8Array,
): Message =>
  message({
    code: SegmentCode.write,
    coResident: granter,
    words: [0, 0, address, mover.number, ...entityWords(mover.id)],
    segment,
  });

export const passSegment = (granter: EntityId, holder: Mover, next: EntityId): Message =>
  message({
    code: SegmentCode.passGrant,
    coResident: granter,
    words: [0, 0, ...entityWords(next), ...entityWords(holder.id), holder.number],
  });

/** The present holder's right to move becomes the next one's. */
export function pass(granter: Process | undefined, holder: Mover, next: EntityId): number {
  if (granter?.awaits !== holder.id || !matches(granter, holder)) return ReplyCode.noPermission;
  granter.awaits = next;
  return ReplyCode.ok;
}

/** The server, for the processes of this host. */
export function memoryManager(processes: ReadonlyMap<EntityId, Process>): MessageProcedure {
  return task(function* segmentOperation({ message: request, to }): Task<Message | 'discard'> {
    const granter = processes.get(entityIn(request, 1));
    const mover = (word: number): Mover => ({
      id: entityIn(request, 5),
      number: wordOf(request, word),
      process: null,
    });
    switch (codeOf(request)) {
      case SegmentCode.read: {
        if (granter === undefined) return message({ code: ReplyCode.noPermission });
        const bytes = yield* readGranted(granter, mover(4), wordOf(request, 3), wordOf(request, 7));
        return typeof bytes === 'number'
          ? message({ code: bytes })
          : message({ code: ReplyCode.ok, flags: MessageFlag.datagram, segment: bytes });
      }
      case SegmentCode.write: {
        if (granter === undefined) return message({ code: ReplyCode.noPermission });
        return message({ code: yield* writeGranted(granter, mover(4), wordOf(request, 3), request.segment) });
      }
      case SegmentCode.passGrant:
        return message({ code: pass(granter, mover(7), entityIn(request, 3)) });
      default:
        // The group has other members on this host, for other operations.
        return isGroup(to) ? 'discard' : message({ code: ReplyCode.protocolError });
    }
  });
}
