/** What an open file takes along when its stream moves: who opened it, and a name that its last user takes away. */
import type { Credentials, FileId, Plain } from '@backplane/slots';
import type { SillyName } from './nfs-file.ts';

export interface Luggage {
  readonly who: Credentials;
  readonly silly: SillyName | null;
}

export function plainOf(who: Credentials, silly: SillyName | null): Plain {
  return {
    who: plainWho(who),
    silly:
      silly === null
        ? null
        : { directory: plainFile(silly.directory), name: silly.name, who: plainWho(silly.who) },
  };
}

const plainWho = ({ uid, gid, groups }: Credentials): Plain => ({ uid, gid, groups: [...groups] });
const plainFile = ({ domain, number, generation }: FileId): Plain => ({ domain, number, generation });

/** Undefined for what no file of this protocol took along: it has come over the network. */
export function luggageOf(extra: Plain): Luggage | undefined {
  const from = fields(extra);
  const who = credentials(from['who']);
  if (who === undefined) return undefined;
  const silly = from['silly'] ?? null;
  if (silly === null) return { who, silly: null };
  const { name, directory, who: unlinker } = fields(silly);
  const { domain, number, generation } = fields(directory);
  const by = credentials(unlinker);
  if (typeof name !== 'string' || by === undefined) return undefined;
  if (!isCount(domain) || !isCount(number) || !isCount(generation)) return undefined;
  return { who, silly: { directory: { domain, number, generation }, name, who: by } };
}

type Fields = { readonly [key: string]: Plain | undefined };

const fields = (value: Plain | undefined): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

function credentials(value: Plain | undefined): Credentials | undefined {
  const { uid, gid, groups } = fields(value);
  if (!isCount(uid) || !isCount(gid) || !Array.isArray(groups) || !groups.every(isCount)) return undefined;
  return { uid, gid, groups };
}

const isCount = (n: Plain | undefined): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
