/**
 * QueryName, the question to the name-handling group: who is the manager of this name? Its form is our own; the record
 * has none.
 *
 *   request   code `queryName`; word 1: 1 when the name is about an entry in its directory; segment: the name
 *   response  code `ok`; word 1: what the answer is; segment: the prefix, its capability, and
 *               0 a manager     the protocol that it speaks, the manager, the context of the prefix
 *               1 one of several that share the prefix: the same, and its range of names
 *               2 an alias      the prefix that it stands for
 */
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
import { type Answer, isAlias } from './answer.ts';
import { capabilityChars } from './capability.ts';

/** Unused by the other services of V here, as are those up to 0x0906 (`directory-messages.ts`). */
const queryName = 0x0901;
const wordMax = 64;
const is = { manager: 0, sharer: 1, alias: 2 } as const;

export interface NameQuestion {
  readonly name: string;
  readonly about: About;
}

export const askFor = (name: string, about: About): Message =>
  message({
    code: queryName,
    flags: MessageFlag.manyResponses,
    words: [about === 'entry' ? 1 : 0],
    segment: encodeUtf8(name),
  });

/** Undefined for another question, and for what is none. */
export function askedFor(m: Message): NameQuestion | undefined {
  if (codeOf(m) !== queryName || m.segment.length === 0 || m.segment.length > pathBytesMax) return undefined;
  const name = decodeUtf8(m.segment);
  return name.startsWith('/') ? { name, about: wordOf(m, 1) === 1 ? 'entry' : 'object' } : undefined;
}

export function answer({ lead, capability, share }: Answer): Message {
  const to = new ByteWriter().string(lead.prefix).string(capability);
  if (isAlias(lead)) to.string(lead.substitute);
  else to.string(lead.protocol).string(lead.authority).string(lead.root);
  if (share !== undefined) to.string(share.from).string(share.below);
  const kind = isAlias(lead) ? is.alias : share !== undefined ? is.sharer : is.manager;
  return message({ code: ReplyCode.ok, words: [kind], segment: to.finish() });
}

/** Undefined for a failure, and for what is no answer. */
export function answered(m: Message): Answer | undefined {
  const kind = wordOf(m, 1);
  if (codeOf(m) !== ReplyCode.ok || kind > is.alias) return undefined;
  const from = new ByteReader(m.segment);
  const prefix = from.string(pathBytesMax);
  const capability = from.string(capabilityChars);
  if (!prefix.startsWith('/')) return undefined;
  if (kind === is.alias) {
    const substitute = from.string(pathBytesMax);
    return from.failed || !substitute.startsWith('/')
      ? undefined
      : { lead: { prefix, substitute }, capability };
  }
  const hint = {
    prefix,
    protocol: from.string(wordMax),
    authority: authority(from.string(wordMax)),
    root: token(from.string(wordMax)),
  };
  const share =
    kind === is.sharer ? { from: from.string(pathBytesMax), below: from.string(pathBytesMax) } : undefined;
  if (from.failed) return undefined;
  return share === undefined
    ? { lead: hint, capability }
    : { lead: { ...hint, shared: true }, capability, share };
}
