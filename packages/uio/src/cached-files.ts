/**
 * Opening a file by way of the cache directory of one's host: it opens the file at its manager, and answers with the host's
 * memory server as the manager of the open file (Cheriton 1988, section on memory). The rest of the answer is the manager's:
 * also one that sends the client elsewhere.
 */
import {
  message as areas,
  fileKey,
  fileOfToken,
  type OpenRequest,
  readFileId,
  readFrom,
  readHow,
  writeFileId,
  writeFrom,
  writeHow,
} from '@backplane/file-service';
import {
  type EntityId,
  entityId,
  entityIn,
  entityWords,
  type FileId,
  type Message,
  message,
  noEntity,
  type OpenHow,
  type Procedure,
  pathBytesMax,
  ReplyCode,
  type WireAttempt,
} from '@backplane/slots';
import { type OpenedFile, openFile, reopenFile } from './file-operations.ts';

const entityDigits = 16;

/**
 * @param manager whom the client's names lead to
 * @param prefix under which another one is found when that has died
 * @param owner when it dies the instance may go
 */
export const openCached: Procedure<
  OpenRequest & { readonly owner: EntityId; readonly manager: EntityId; readonly prefix: string },
  WireAttempt<OpenedFile>
> = {
  id: 0x013c,
  name: 'openCached',
  request: areas(
    (to, q) => {
      writeFileId(to.words, q.start);
      to.text.string(q.path).string(q.owner).string(q.manager).string(q.prefix);
      writeHow(to.words, q.how);
      writeFrom(to, q);
    },
    (from) => ({
      start: readFileId(from.words),
      path: from.text.string(pathBytesMax),
      owner: entityId(from.text.string(entityDigits)),
      manager: entityId(from.text.string(entityDigits)),
      prefix: from.text.string(pathBytesMax),
      how: readHow(from.words),
      ...readFrom(from),
    }),
  ),
  reply: openFile.reply,
};

/**
 * The same for a file whose number is known. The manager is asked by the directory, too.
 *
 * @param manager whom the file's prefix leads to now
 * @param prefix under which another one is found when that has died
 */
export const reopenCached: Procedure<
  {
    readonly owner: EntityId;
    readonly manager: EntityId;
    readonly prefix: string;
    readonly file: FileId;
    readonly how: OpenHow;
  },
  OpenedFile
> = {
  id: 0x013f,
  name: 'reopenCached',
  request: areas(
    (to, q) => {
      to.text.string(q.owner).string(q.manager).string(q.prefix);
      writeFileId(to.words, q.file);
      writeHow(to.words, q.how);
    },
    (from) => ({
      owner: entityId(from.text.string(entityDigits)),
      manager: entityId(from.text.string(entityDigits)),
      prefix: from.text.string(pathBytesMax),
      file: readFileId(from.words),
      how: readHow(from.words),
    }),
  ),
  reply: reopenFile.reply,
};

/** Asks for the cache directory beside this process: whoever answers is it. */
export const toFindDirectory = (beside: EntityId): Message =>
  message({ code: findDirectory, coResident: beside });
export const findDirectory = 0x013e;

/** @param pages the memory server of its host, undefined where that keeps no pages of files */
export const directoryFound = (pages: EntityId | undefined): Message =>
  message({ code: ReplyCode.ok, words: entityWords(pages ?? noEntity) });

/** The memory server, in the directory's answer. */
export function pagesServerIn(m: Message): EntityId | undefined {
  const pages = entityIn(m, 1);
  return pages === noEntity ? undefined : pages;
}

// ---- what a file is called by all who keep its pages ----

/** What a key says of where the file is. */
export interface NamedFile {
  readonly prefix: string;
  readonly file: FileId;
}

/** The key of a file's pages on one host: those of another version are another object. */
export const keyOfFile = ({ prefix, file }: NamedFile, version: number): string =>
  `${prefix}:${fileKey(file)}:${version}`;

/** Undefined: the key of something that cannot be found again. Taken apart from its end: a prefix may have colons of its own. */
export function fileOfKey(key: string): NamedFile | undefined {
  const [, prefix, at] = /^(\/.*):([^:]*):[^:]*$/.exec(key) ?? [];
  const file = at === undefined ? undefined : fileOfToken(at);
  return prefix === undefined || file === undefined ? undefined : { prefix, file };
}
