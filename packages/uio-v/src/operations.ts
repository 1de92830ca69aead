/**
 * What clients and file servers say to one another. The operations are those of V's uniform I/O (Cheriton 1987; 1988); the
 * record has neither their codes nor their layouts, so both are our own.
 *
 *   operation        words of the request                         words of the response   segment
 *   readInstance     1 instance, 2 block, 3 first byte, 4 bytes                           of the response: the data
 *   writeInstance    1 instance, 2 block, 3 first byte, 4 at end  1-2 the offset after    of the request: the data
 *   every other one  1 instance, 2 bytes of its parameters        2 the same              parameters, then text
 *
 * A response's code is `ok`, or `ReplyCode.user` and the number of the error.
 */
import {
  message as areas,
  lockModes,
  lockOwnerBytesMax,
  type NameProcedures,
  nameProcedures,
  type OpenRequest,
  type Reading,
  readAttempt,
  readAttributes,
  readChange,
  readCredentials,
  readFileId,
  readFrom,
  readHow,
  readNs,
  readStored,
  type Writing,
  writeAttempt,
  writeAttributes,
  writeChange,
  writeCredentials,
  writeFileId,
  writeFrom,
  writeHow,
  writeNs,
  writeStored,
} from '@backplane/file-service';
import {
  type AttributeChange,
  type Attributes,
  type Credentials,
  type EntityId,
  entityId,
  type FileId,
  hostId,
  type LockMode,
  noPayload,
  type OpenHow,
  type Procedure,
  pathBytesMax,
  type StoredAttributes,
  type Waiter,
  type WireAttempt,
} from '@backplane/slots';

/** What offsets in a file count in. */
export const blockBytes = 1024;
/** What one transaction moves at most: the size of the server's buffers. */
export const unitBytes = 8192;

export const readInstance = 0x0101;
export const writeInstance = 0x0102;
/** In word 4 of a `writeInstance`: wherever the end is by then. */
export const atEnd = 1;

/** A new instance: an open file, until its owner releases it or dies. */
export interface Created {
  readonly instance: number;
  readonly file: FileId;
  readonly attributes: StoredAttributes;
}
const writeCreated = ({ words }: Writing, c: Created): void =>
  writeStored(writeFileId(words.u32(c.instance), c.file), c.attributes);
const readCreated = ({ words }: Reading): Created => ({
  instance: words.u32(),
  file: readFileId(words),
  attributes: readStored(words),
});

const entityDigits = 16;
const readOwner = ({ text }: Reading): EntityId => entityId(text.string(entityDigits));

/** @param owner when it dies the instance may go */
export const createInstance: Procedure<OpenRequest & { readonly owner: EntityId }, WireAttempt<Created>> = {
  id: 0x0103,
  name: 'createInstance',
  request: areas(
    (to, q) => {
      writeFileId(to.words, q.start);
      to.text.string(q.path).string(q.owner);
      writeHow(to.words, q.how);
      writeFrom(to, q);
    },
    (from) => ({
      start: readFileId(from.words),
      path: from.text.string(pathBytesMax),
      owner: readOwner(from),
      how: readHow(from.words),
      ...readFrom(from),
    }),
  ),
  reply: areas(
    (to, a) => writeAttempt(to, a, writeCreated),
    (from) => readAttempt(from, readCreated),
  ),
};

/** The same file again, after its server's death. */
export const recreateInstance: Procedure<
  { readonly owner: EntityId; readonly file: FileId; readonly how: OpenHow },
  Created
> = {
  id: 0x0104,
  name: 'recreateInstance',
  request: areas(
    (to, q) => {
      to.text.string(q.owner);
      writeFileId(to.words, q.file);
      writeHow(to.words, q.how);
    },
    (from) => ({ owner: readOwner(from), file: readFileId(from.words), how: readHow(from.words) }),
  ),
  reply: areas(writeCreated, readCreated),
};

export const releaseInstance: Procedure<null, null> = {
  id: 0x0105,
  name: 'releaseInstance',
  request: noPayload,
  reply: noPayload,
};

export const queryInstance: Procedure<null, Attributes> = {
  id: 0x0106,
  name: 'queryInstance',
  request: noPayload,
  reply: areas(
    ({ words }, a) => writeAttributes(words, a),
    ({ words }) => readAttributes(words),
  ),
};

/** Cuts it, or makes it longer. */
export const modifyInstance: Procedure<number, null> = {
  id: 0x0107,
  name: 'modifyInstance',
  request: areas(
    ({ words }, sizeBytes) => void writeNs(words, sizeBytes),
    ({ words }) => readNs(words),
  ),
  reply: noPayload,
};

export const setAttributes: Procedure<{ readonly change: AttributeChange; readonly who: Credentials }, null> =
  {
    id: 0x0108,
    name: 'setAttributes',
    request: areas(
      ({ words }, q) => {
        writeChange(words, q.change);
        writeCredentials(words, q.who);
      },
      ({ words }) => ({ change: readChange(words), who: readCredentials(words) }),
    ),
    reply: noPayload,
  };

/** V's standard escape, for what an object can do beside reading and writing: here to bring it to the disk. */
export const controlInstance: Procedure<'sync', null> = {
  id: 0x0109,
  name: 'controlInstance',
  request: areas(
    ({ text }, function_) => void text.string(function_),
    ({ text }) => {
      if (text.string(entityDigits) !== 'sync') text.fail();
      return 'sync';
    },
  ),
  reply: noPayload,
};

export const lockInstance: Procedure<
  { readonly mode: LockMode; readonly owner: string; readonly waiter: Waiter },
  null
> = {
  id: 0x010a,
  name: 'lockInstance',
  request: areas(
    ({ words, text }, q) => {
      words.u32(lockModes.indexOf(q.mode)).u32(q.waiter.host).u32(q.waiter.ticket);
      text.string(q.owner);
    },
    ({ words, text }) => ({
      mode: lockModes[words.u32()] ?? 'none',
      waiter: { host: hostId(words.u32()), ticket: words.u32() },
      owner: text.string(lockOwnerBytesMax),
    }),
  ),
  reply: noPayload,
};

export const names: NameProcedures = nameProcedures({
  stat: 0x0110,
  access: 0x0111,
  unlink: 0x0112,
  makeDirectory: 0x0113,
  removeDirectory: 0x0114,
  makeLink: 0x0115,
  readLink: 0x0116,
  setAttributes: 0x0117,
  entries: 0x0118,
  enter: 0x0119,
  rename: 0x011a,
  link: 0x011b,
});
