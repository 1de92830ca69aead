/**
 * The operations on open objects of every kind, as messages. They are those of V's uniform I/O (Cheriton 1987; 1988); the
 * record has neither their codes nor their layouts, so both are our own.
 *
 *   operation          words of the request                           words of the response       segment
 *   readInstance       1 instance, 2 block, 3 first byte, 4 bytes     1 flags                     of the response: the data
 *   writeInstance      1 instance, 2 block, 3 first byte, 4 at end    1-2 block and byte after    of the request: the data
 *   createInstance     3 mode, 4 bytes of the name, 5-6 owner         its description             of the request: the name,
 *                                                                                                 what else its kind needs
 *   releaseInstance    1 instance, 2 mode
 *   queryInstance      1 instance                                     its description
 *   modifyInstance     1 instance, 2 what, 3-4 block and byte
 *                      where it is to end
 *   setInstanceOwner   1 instance, 2-3 the new owner
 *   lockInstance       1 instance, 2 block, 3 blocks, 4 mode
 *   controlInstance    1 instance, 2 function, 3-6 the function's     the function's              the function's
 *
 * A description: 1 instance, 2 bytes of a block, 3 attributes, 6-7 manager; of storage 4 full blocks and 5 bytes after them,
 * of anything else 4 the block to be read next and 5 the one to be written next.
 *
 * A response's code is `ok`, or `busy` for a lock that somebody has, or `ReplyCode.user` and the number of the error.
 * Compulsory are create, query, release, and one of read and write; the others are for objects that announce them.
 * `controlInstance` is the escape for what fits none of them. A create may go to a group of managers; words 1 and 2 are then
 * the process beside which the object is to be.
 */
import {
  type EntityId,
  entityIn,
  entityWords,
  type Message,
  MessageFlag,
  message,
  noEntity,
  ReplyCode,
  segmentBytesMax,
  wordOf,
} from '@backplane/slots';
import { decodeUtf8, encodeUtf8 } from '@backplane/wire';
import { has } from './attributes.ts';

export const readInstance = 0x0101;
export const writeInstance = 0x0102;
export const createInstance = 0x0103;
export const releaseInstance = 0x0105;
export const queryInstance = 0x0106;
export const modifyInstance = 0x0107;
export const controlInstance = 0x0109;
export const lockInstance = 0x010a;
export const setInstanceOwner = 0x010b;

/** What one transaction moves at most. */
export const transferBytesMax: number = segmentBytesMax;
/** What clients move in one transaction unless they have a reason. */
export const unitBytes = 8192;

/** A place in an object. */
export interface BlockPosition {
  readonly block: number;
  /** In the block. */
  readonly first: number;
}

/** In word 4 of a `writeInstance`: wherever the end is by then; of a sequence of blocks, whichever is next. */
export const atEnd = 1;
/** In word 1 of the response to a `readInstance`: there is nothing more. */
const endOfObject = 1;
/** In word 2 of a `modifyInstance`. */
export const modifiesEnd = 1;

export type ReleaseMode = 'normal' | 'abort';
const releaseModes: readonly ReleaseMode[] = ['normal', 'abort'];
export type BlockLockMode = 'none' | 'shared' | 'exclusive';
const blockLockModes: readonly BlockLockMode[] = ['none', 'shared', 'exclusive'];

/** What the creator wants to do: bits. */
export const CreateMode = { read: 1, write: 2, append: 4, truncate: 8 } as const;

export interface CreateRequest {
  /** Within the manager. Empty where it says nothing. */
  readonly name: string;
  /** Bits of `CreateMode`. */
  readonly mode: number;
  /** Whose death ends it. Nobody in the message: who asks. */
  readonly owner: EntityId;
  /** What else this kind of object needs. */
  readonly particulars: Uint8Array;
}

export interface InstanceDescription {
  readonly manager: EntityId;
  readonly instance: number;
  readonly blockBytes: number;
  /** Bits of `UioAttribute`. */
  readonly attributes: number;
  /** Of storage; else 0. */
  readonly sizeBytes: number;
  /** Blocks to be read and written next, of what is no storage; else 0. */
  readonly nextRead: number;
  readonly nextWrite: number;
}

export interface BlockRange {
  readonly block: number;
  /** 0: all that follow. */
  readonly blocks: number;
}

// ---- requests ----

export const toRead = (instance: number, { block, first }: BlockPosition, count: number): Message =>
  message({ code: readInstance, words: [instance, block, first, count] });

export const toWrite = (instance: number, at: BlockPosition | 'end', segment: Uint8Array): Message =>
  message({
    code: writeInstance,
    words: at === 'end' ? [instance, 0, 0, atEnd] : [instance, at.block, at.first, 0],
    segment,
  });

/** What a program says to have something created. */
export interface ToCreate extends Partial<CreateRequest> {
  readonly mode: number;
  /** To a group of managers: the one on the host of this process. Without it, each member creates one. */
  readonly beside?: EntityId;
}

export function toCreate(q: ToCreate): Message {
  const name = encodeUtf8(q.name ?? '');
  const particulars = q.particulars ?? new Uint8Array(0);
  const segment = new Uint8Array(name.length + particulars.length);
  segment.set(name);
  segment.set(particulars, name.length);
  const words = [0, 0, q.mode, name.length, ...entityWords(q.owner ?? noEntity)];
  return message({ code: createInstance, words, segment, ...(q.beside && { coResident: q.beside }) });
}

/** @param from who asks */
export function createAsked(m: Message, from: EntityId): CreateRequest {
  const nameBytes = Math.min(wordOf(m, 4), m.segment.length);
  const owner = entityIn(m, 5);
  return {
    name: decodeUtf8(m.segment.subarray(0, nameBytes)),
    mode: wordOf(m, 3),
    owner: owner === noEntity ? from : owner,
    particulars: m.segment.subarray(nameBytes),
  };
}

export const toQuery = (instance: number): Message => message({ code: queryInstance, words: [instance] });

export const toRelease = (instance: number, mode: ReleaseMode): Message =>
  message({ code: releaseInstance, words: [instance, releaseModes.indexOf(mode)] });

export const releaseAsked = (m: Message): ReleaseMode => releaseModes[wordOf(m, 2)] ?? 'abort';

export const toModify = (instance: number, { block, first }: BlockPosition): Message =>
  message({ code: modifyInstance, words: [instance, modifiesEnd, block, first] });

export const toSetOwner = (instance: number, owner: EntityId): Message =>
  message({ code: setInstanceOwner, words: [instance, ...entityWords(owner)] });

export const toLock = (instance: number, { block, blocks }: BlockRange, mode: BlockLockMode): Message =>
  message({ code: lockInstance, words: [instance, block, blocks, blockLockModes.indexOf(mode)] });

export const lockAsked = (m: Message): BlockLockMode | undefined => blockLockModes[wordOf(m, 4)];

/** @param words 3 to 6, of which a segment leaves all */
export const toControl = (
  instance: number,
  function_: number,
  words: readonly number[] = [],
  segment?: Uint8Array,
): Message =>
  message({
    code: controlInstance,
    words: [instance, function_, ...words],
    ...(segment !== undefined && { segment }),
  });

// ---- responses ----

/** @param again doing it again does no harm, so that nobody has to keep the response (RFC 1045, section 2.4) */
export const readResponse = (segment: Uint8Array | null, again: boolean): Message =>
  message({
    code: ReplyCode.ok,
    flags: again ? MessageFlag.datagram : 0,
    words: [segment === null ? endOfObject : 0],
    ...(segment !== null && { segment }),
  });

/** Null at the end. */
export const readGot = (m: Message): Uint8Array | null =>
  m.segment.length === 0 && wordOf(m, 1) === endOfObject ? null : m.segment;

export const writeResponse = ({ block, first }: BlockPosition): Message =>
  message({ code: ReplyCode.ok, words: [block, first] });

/** The position afterwards. */
export const writeDone = (m: Message): BlockPosition => ({ block: wordOf(m, 1), first: wordOf(m, 2) });

export function describing(d: InstanceDescription): Message {
  const { block, first } = has(d.attributes, 'storage')
    ? positionOf(d.sizeBytes, d.blockBytes)
    : { block: d.nextRead, first: d.nextWrite };
  const words = [d.instance, d.blockBytes, d.attributes, block, first, ...entityWords(d.manager)];
  return message({ code: ReplyCode.ok, words });
}

export function described(m: Message): InstanceDescription {
  const [blockBytes, attributes] = [wordOf(m, 2), wordOf(m, 3)];
  const [fourth, fifth] = [wordOf(m, 4), wordOf(m, 5)];
  const stored = has(attributes, 'storage');
  return {
    manager: entityIn(m, 6),
    instance: wordOf(m, 1),
    blockBytes,
    attributes,
    sizeBytes: stored ? fourth * blockBytes + fifth : 0,
    nextRead: stored ? 0 : fourth,
    nextWrite: stored ? 0 : fifth,
  };
}

// ---- positions ----

export const positionOf = (at: number, blockBytes: number): BlockPosition => ({
  block: Math.floor(at / blockBytes),
  first: at % blockBytes,
});

export const offsetOf = ({ block, first }: BlockPosition, blockBytes: number): number =>
  block * blockBytes + first;

/** Of the request to read, to write, or to end it elsewhere. */
export const readAt = (m: Message): BlockPosition => ({ block: wordOf(m, 2), first: wordOf(m, 3) });
export const endAt = (m: Message): BlockPosition => ({ block: wordOf(m, 3), first: wordOf(m, 4) });
