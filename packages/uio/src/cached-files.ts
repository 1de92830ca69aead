/**
 * Opening a file by way of the cache directory of one's host: it opens the file at its manager, and answers with the host's
 * memory server as the manager of the open file (Cheriton 1988, section on memory). The rest of the answer is the manager's:
 * also one that sends the client elsewhere.
 */
import {
  message as areas,
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
  type Message,
  message,
  type Procedure,
  pathBytesMax,
  type WireAttempt,
} from '@backplane/slots';
import { type OpenedFile, openFile } from './file-operations.ts';

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

/** Asks for the cache directory beside this process: whoever answers is it. */
export const toFindDirectory = (beside: EntityId): Message =>
  message({ code: findDirectory, coResident: beside });
export const findDirectory = 0x013e;
