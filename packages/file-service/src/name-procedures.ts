/**
 * Name operations as remote procedures: one for each operation on one name, one for each on two. A protocol gives them
 * its numbers. The request carries where the path starts, the path, who asks, and the type of his machine, which stands
 * for `$MACHINE`. (Sprite's servers knew that from their route tables; carrying it spares every board such a table.)
 */
import {
  type Credentials,
  type FileId,
  type NameOps,
  type Procedure,
  pathBytesMax,
  type SecondAttempt,
  type TwoNameOp,
  type WireAttempt,
} from '@backplane/slots';
import {
  message,
  type Reading,
  readAttempt,
  readCredentials,
  readFileId,
  type Writing,
  writeAttempt,
  writeCredentials,
  writeFileId,
} from './codecs.ts';
import { nameOpCodecs } from './name-op-codecs.ts';

/** Who asks. */
interface From {
  readonly who: Credentials;
  readonly machineType: string;
}
export interface NameRequest<A> extends From {
  readonly start: FileId;
  readonly path: string;
  readonly argument: A;
}
export interface TwoNameRequest extends From {
  readonly first: { readonly start: FileId; readonly path: string };
  readonly second: { readonly start: FileId; readonly path: string };
}
export type TwoNameReply = WireAttempt<null> | SecondAttempt<null>;
export type NameProcedure<K extends keyof NameOps> = Procedure<
  NameRequest<NameOps[K]['in']>,
  WireAttempt<NameOps[K]['out']>
>;
export type TwoNameProcedure = Procedure<TwoNameRequest, TwoNameReply>;

const machineTypeBytesMax = 64;

export function writeFrom(to: Writing, from: From): void {
  writeCredentials(to.words, from.who);
  to.text.string(from.machineType);
}

export const readFrom = (from: Reading): From => ({
  who: readCredentials(from.words),
  machineType: from.text.string(machineTypeBytesMax),
});

const nameProcedure = <K extends keyof NameOps>(op: K, id: number): NameProcedure<K> => {
  const { in: argument, out } = nameOpCodecs[op];
  return {
    id,
    name: op,
    request: message(
      (to, q: NameRequest<NameOps[K]['in']>) => {
        writeFileId(to.words, q.start);
        to.text.string(q.path);
        writeFrom(to, q);
        argument.write(to, q.argument);
      },
      (from) => ({
        start: readFileId(from.words),
        path: from.text.string(pathBytesMax),
        ...readFrom(from),
        argument: argument.read(from),
      }),
    ),
    reply: message(
      (to, a: WireAttempt<NameOps[K]['out']>) => writeAttempt(to, a, out.write),
      (from) => readAttempt(from, out.read),
    ),
  };
};

const nothing = { write: (): void => {}, read: (): null => null };

const twoNameProcedure = (op: TwoNameOp, id: number): TwoNameProcedure => ({
  id,
  name: op,
  request: message(
    (to, q: TwoNameRequest) => {
      for (const { start, path } of [q.first, q.second]) {
        writeFileId(to.words, start);
        to.text.string(path);
      }
      writeFrom(to, q);
    },
    (from) => ({
      first: { start: readFileId(from.words), path: from.text.string(pathBytesMax) },
      second: { start: readFileId(from.words), path: from.text.string(pathBytesMax) },
      ...readFrom(from),
    }),
  ),
  reply: message(
    (to, a: TwoNameReply) => {
      to.words.bool(a.is === 'second');
      if (a.is !== 'second') writeAttempt(to, a, nothing.write);
      else if (a.of.is !== 'unreachable') writeAttempt(to, a.of, nothing.write);
    },
    (from) => {
      const second = from.words.bool();
      const outcome = readAttempt(from, nothing.read);
      return second ? { is: 'second', of: outcome } : outcome;
    },
  ),
});

/** A procedure for every operation: what a protocol serves and what its clients call. */
export interface NameProcedures {
  readonly one: { readonly [K in keyof NameOps]: NameProcedure<K> };
  readonly two: { readonly [K in TwoNameOp]: TwoNameProcedure };
}

/** @param ids the protocol's numbers for the operations */
export const nameProcedures = (
  ids: { readonly [K in keyof NameOps | TwoNameOp]: number },
): NameProcedures => ({
  one: {
    stat: nameProcedure('stat', ids.stat),
    access: nameProcedure('access', ids.access),
    unlink: nameProcedure('unlink', ids.unlink),
    makeDirectory: nameProcedure('makeDirectory', ids.makeDirectory),
    removeDirectory: nameProcedure('removeDirectory', ids.removeDirectory),
    makeLink: nameProcedure('makeLink', ids.makeLink),
    readLink: nameProcedure('readLink', ids.readLink),
    setAttributes: nameProcedure('setAttributes', ids.setAttributes),
    entries: nameProcedure('entries', ids.entries),
    enter: nameProcedure('enter', ids.enter),
  },
  two: { rename: twoNameProcedure('rename', ids.rename), link: twoNameProcedure('link', ids.link) },
});
