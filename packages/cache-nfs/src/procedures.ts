/**
 * What clients and servers say to one another: numbers 64 to 95. As in NFS version 2 (Sandberg 1985; RFC 1094) each call
 * says all that the server needs: the file, the place in it, and on whose behalf.
 */
import {
  aboutFile,
  message,
  type NameProcedures,
  nameProcedures,
  readCredentials,
  readFileId,
  readNs,
  readStored,
  type SetRequest,
  setRequest,
  storedRecord,
  storedReply,
  writeCredentials,
  writeFileId,
  writeNs,
  writeStored,
} from '@backplane/file-service';
import {
  type Credentials,
  componentBytesMax,
  type FileId,
  inParameters,
  type PayloadCodec,
  type Procedure,
  pathBytesMax,
  type StoredAttributes,
  withData,
} from '@backplane/slots';
import { record } from '@backplane/wire';

/** A file, and its attributes at its server at that moment. */
export interface Seen {
  readonly file: FileId;
  readonly attributes: StoredAttributes;
}
/** A file, and on whose behalf. */
export interface Of {
  readonly file: FileId;
  readonly who: Credentials;
}

const seen: PayloadCodec<Seen> = inParameters(
  record<Seen>(
    'seen',
    (to, s) => {
      writeFileId(to, s.file);
      writeStored(to, s.attributes);
    },
    (from) => ({ file: readFileId(from), attributes: readStored(from) }),
  ),
);

export const getAttributes: Procedure<FileId, StoredAttributes> = {
  id: 64,
  name: 'getattr',
  request: aboutFile,
  reply: storedReply,
};

export const setAttributes: Procedure<SetRequest, StoredAttributes> = {
  id: 65,
  name: 'setattr',
  request: setRequest,
  reply: storedReply,
};

/** The original's "set attributes" with a size. */
export const setSize: Procedure<Of & { readonly sizeBytes: number }, StoredAttributes> = {
  id: 66,
  name: 'setsize',
  request: inParameters(
    record(
      'setsize',
      (to, q) => {
        writeNs(writeFileId(to, q.file), q.sizeBytes);
        writeCredentials(to, q.who);
      },
      (from) => ({ file: readFileId(from), sizeBytes: readNs(from), who: readCredentials(from) }),
    ),
  ),
  reply: storedReply,
};

/** One component in one directory. */
export const lookup: Procedure<Of & { readonly name: string }, Seen> = {
  id: 67,
  name: 'lookup',
  request: message(
    (to, q) => {
      writeFileId(to.words, q.file);
      writeCredentials(to.words, q.who);
      to.text.string(q.name);
    },
    (from) => ({
      file: readFileId(from.words),
      who: readCredentials(from.words),
      name: from.text.string(componentBytesMax),
    }),
  ),
  reply: seen,
};

/** The text of a symbolic or a remote link. */
export const readLink: Procedure<FileId, string> = {
  id: 68,
  name: 'readlink',
  request: aboutFile,
  reply: message(
    (to, text: string) => void to.text.string(text),
    (from) => from.text.string(pathBytesMax),
  ),
};

export const read: Procedure<
  Of & { readonly at: number; readonly count: number },
  { readonly record: StoredAttributes; readonly data: Uint8Array }
> = {
  id: 69,
  name: 'read',
  request: inParameters(
    record(
      'read',
      (to, q) => {
        writeNs(writeFileId(to, q.file), q.at).u32(q.count);
        writeCredentials(to, q.who);
      },
      (from) => ({
        file: readFileId(from),
        at: readNs(from),
        count: from.u32(),
        who: readCredentials(from),
      }),
    ),
  ),
  reply: withData(storedRecord),
};

export const write: Procedure<
  { readonly record: Of & { readonly at: number }; readonly data: Uint8Array },
  StoredAttributes
> = {
  id: 70,
  name: 'write',
  request: withData(
    record(
      'write',
      (to, q) => {
        writeNs(writeFileId(to, q.file), q.at);
        writeCredentials(to, q.who);
      },
      (from) => ({ file: readFileId(from), at: readNs(from), who: readCredentials(from) }),
    ),
  ),
  reply: storedReply,
};

export interface CreateRequest extends Of {
  readonly name: string;
  readonly mode: number;
  readonly exclusive: boolean;
}
export const create: Procedure<CreateRequest, Seen> = {
  id: 71,
  name: 'create',
  request: message(
    (to, q) => {
      writeFileId(to.words, q.file).u32(q.mode).bool(q.exclusive);
      writeCredentials(to.words, q.who);
      to.text.string(q.name);
    },
    (from) => ({
      file: readFileId(from.words),
      mode: from.words.u32(),
      exclusive: from.words.bool(),
      who: readCredentials(from.words),
      name: from.text.string(componentBytesMax),
    }),
  ),
  reply: seen,
};

/** Directory operations, each with the directory as the start and one name as the path. */
export const names: NameProcedures = nameProcedures({
  stat: 80,
  access: 81,
  unlink: 82,
  makeDirectory: 83,
  removeDirectory: 84,
  makeLink: 85,
  readLink: 86,
  setAttributes: 87,
  entries: 88,
  enter: 89,
  rename: 90,
  link: 91,
});
