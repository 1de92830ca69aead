/**
 * What only file servers are asked: to open by name (the rest of a name, looked up from a context), to open once more what was
 * open at a server that died, what is known of a file, and whole-file locks; and the operations on names alone. A request is
 * word 1 the instance, word 2 the bytes of its parameters, and a segment: the parameters, then text. A response is the same.
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
  readStored,
  type Writing,
  writeAttempt,
  writeAttributes,
  writeChange,
  writeCredentials,
  writeFileId,
  writeFrom,
  writeHow,
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
import type { InstanceDescription } from './operations.ts';

/** The block of a file. */
export const blockBytes = 1024;

/** A new instance: an open file, until its owner releases it or dies. */
export interface OpenedFile {
  /** Who is to be asked about the instance: perhaps not who was asked to open. */
  readonly manager: EntityId;
  readonly instance: number;
  readonly file: FileId;
  /** Bits of `UioAttribute`. */
  readonly uio: number;
  readonly attributes: StoredAttributes;
}

export const descriptionOf = ({ manager, instance, uio, attributes }: OpenedFile): InstanceDescription => ({
  manager,
  instance,
  blockBytes,
  attributes: uio,
  sizeBytes: attributes.sizeBytes,
  nextRead: 0,
  nextWrite: 0,
});

const writeOpened = ({ words, text }: Writing, o: OpenedFile): void => {
  text.string(o.manager);
  writeStored(writeFileId(words.u32(o.instance).u32(o.uio), o.file), o.attributes);
};
const readOpened = (from: Reading): OpenedFile => ({
  manager: readEntity(from),
  instance: from.words.u32(),
  uio: from.words.u32(),
  file: readFileId(from.words),
  attributes: readStored(from.words),
});

const entityDigits = 16;
const readEntity = ({ text }: Reading): EntityId => entityId(text.string(entityDigits));

/** @param owner when it dies the instance may go */
export const openFile: Procedure<OpenRequest & { readonly owner: EntityId }, WireAttempt<OpenedFile>> = {
  id: 0x010c,
  name: 'openFile',
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
      owner: readEntity(from),
      how: readHow(from.words),
      ...readFrom(from),
    }),
  ),
  reply: areas(
    (to, a) => writeAttempt(to, a, writeOpened),
    (from) => readAttempt(from, readOpened),
  ),
};

/** The same file again, after its server's death. */
export const reopenFile: Procedure<
  { readonly owner: EntityId; readonly file: FileId; readonly how: OpenHow },
  OpenedFile
> = {
  id: 0x010d,
  name: 'reopenFile',
  request: areas(
    (to, q) => {
      to.text.string(q.owner);
      writeFileId(to.words, q.file);
      writeHow(to.words, q.how);
    },
    (from) => ({ owner: readEntity(from), file: readFileId(from.words), how: readHow(from.words) }),
  ),
  reply: areas(writeOpened, readOpened),
};

/** What is known of a file beside what it holds. */
export const queryObject: Procedure<null, Attributes> = {
  id: 0x010e,
  name: 'queryObject',
  request: noPayload,
  reply: areas(
    ({ words }, a) => writeAttributes(words, a),
    ({ words }) => readAttributes(words),
  ),
};

export const modifyObject: Procedure<{ readonly change: AttributeChange; readonly who: Credentials }, null> =
  {
    id: 0x0108,
    name: 'modifyObject',
    request: areas(
      ({ words }, q) => {
        writeChange(words, q.change);
        writeCredentials(words, q.who);
      },
      ({ words }) => ({ change: readChange(words), who: readCredentials(words) }),
    ),
    reply: noPayload,
  };

/** Of the whole file, and with a wake-up: apart from the locks of blocks, which know nothing of these. */
export const lockFile: Procedure<
  { readonly mode: LockMode; readonly owner: string; readonly waiter: Waiter },
  null
> = {
  id: 0x010f,
  name: 'lockFile',
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

/** The function of `controlInstance` that every stored object has: to bring it to the disk. */
export const syncFunction = 1;
/** The one that pipes have: word 1 of the response is 1 when a read would find something, 2 when a write would find room. */
export const pollFunction = 2;

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
