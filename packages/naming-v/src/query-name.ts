/**
 * QueryName, the question to the name-handling group: who is the manager of this name? Its form is our own; the record
 * has none.
 *
 *   request   code `queryName`; word 1: 1 when the name is about an entry in its directory; segment: the name
 *   response  code `ok`; segment: the prefix, the protocol that its manager speaks, the manager, the context of the prefix
 */
import type { Hint } from '@backplane/file-service';
import {
  type About,
  authority,
  codeOf,
  type Message,
  MessageFlag,
  message,
  pathBytesMax,
  ReplyCode,
  token,
  wordOf,
} from '@backplane/slots';
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '@backplane/wire';

/** Number of the group among those that everybody knows. */
export const nameHandlers = 9;

/** Unused by the other services of V here. */
const queryName = 0x0901;
const wordMax = 64;

export const askFor = (name: string, about: About): Message =>
  message({
    code: queryName,
    flags: MessageFlag.manyResponses,
    words: [about === 'entry' ? 1 : 0],
    segment: encodeUtf8(name),
  });

/** Undefined for another question, and for what is none. */
export function askedFor(m: Message): { readonly name: string; readonly about: About } | undefined {
  if (codeOf(m) !== queryName || m.segment.length === 0 || m.segment.length > pathBytesMax) return undefined;
  const name = decodeUtf8(m.segment);
  return name.startsWith('/') ? { name, about: wordOf(m, 1) === 1 ? 'entry' : 'object' } : undefined;
}

export const answer = (h: Hint): Message =>
  message({
    code: ReplyCode.ok,
    segment: new ByteWriter().string(h.prefix).string(h.protocol).string(h.authority).string(h.root).finish(),
  });

/** Undefined for a failure, and for what is no answer. */
export function answered(m: Message): Hint | undefined {
  if (codeOf(m) !== ReplyCode.ok) return undefined;
  const from = new ByteReader(m.segment);
  const found = {
    prefix: from.string(pathBytesMax),
    protocol: from.string(wordMax),
    authority: authority(from.string(wordMax)),
    root: token(from.string(wordMax)),
  };
  return from.failed || !found.prefix.startsWith('/') ? undefined : found;
}
