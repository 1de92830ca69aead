/**
 * What the directory knows of a prefix: who managed it last. Where several managers share it, there is one registration for
 * each range of names.
 */
import { isUnder } from '@backplane/file-service';
import { type About, type EntityId, entityId, pathBytesMax } from '@backplane/slots';
import { type ByteReader, type ByteWriter, utf8Length } from '@backplane/wire';
import type { Lead } from './answer.ts';
import { capabilityChars, type Image } from './capability.ts';
import { firstBelow, holds, type Share } from './share.ts';

/** What a manager says of itself. */
export interface Claim {
  readonly prefix: string;
  /** Null: all names below it. */
  readonly share: Share | null;
  /** The prefix is an alias for this one; empty: it is none. */
  readonly substitute: string;
  /** The name server of the manager's host: it answers QueryName for the prefix. */
  readonly handler: EntityId;
  /** The manager's clock: of two claims the later one counts. */
  readonly stampNs: number;
  /** The manager has withdrawn it. */
  readonly gone: boolean;
}

export interface Registration extends Claim {
  readonly image: Image;
}

/** Claims of one prefix do not contend with one another if their ranges begin at different names. */
export const rangeOf = ({ share }: Claim): string => (share === null ? '' : `\0${share.from}`);

/** Is it about this name? */
export const covers = (c: Claim, path: string, about: About): boolean =>
  isUnder(c.prefix, path) &&
  !(about === 'entry' && c.prefix === path && path !== '/') &&
  (c.share === null || holds(c.share, firstBelow(c.prefix, path)));

/** What the registration itself says of the name; undefined: its handler has to be asked. */
export const leadOf = ({ prefix, substitute }: Claim): Lead | undefined =>
  substitute === '' ? undefined : { prefix, substitute };

const entityDigits = 16;
const flag = { shared: 1, gone: 2 } as const;

/** @param seal the claim's capability on its way from the manager, and its image from there on */
export function writeClaim(to: ByteWriter, c: Claim, seal: string): void {
  to.u32((c.share === null ? 0 : flag.shared) | (c.gone ? flag.gone : 0));
  to.string(c.prefix).string(c.substitute).string(c.handler).number64(c.stampNs).string(seal);
  if (c.share !== null) to.string(c.share.from).string(c.share.below);
}

export function readClaim(from: ByteReader): { readonly claim: Claim; readonly seal: string } {
  const flags = from.u32();
  const prefix = path(from);
  const substitute = path(from);
  const handler = entityId(from.string(entityDigits));
  const stampNs = from.number64();
  const seal = from.string(capabilityChars);
  const share = (flags & flag.shared) === 0 ? null : { from: path(from), below: path(from) };
  if (!prefix.startsWith('/') || !/^[0-9a-f]{16}$/.test(handler)) from.fail();
  if (substitute !== '' && !substitute.startsWith('/')) from.fail();
  if (!/^([0-9a-f]{64})?$/.test(seal) || !Number.isSafeInteger(stampNs)) from.fail();
  return { claim: { prefix, share, substitute, handler, stampNs, gone: (flags & flag.gone) !== 0 }, seal };
}

/** Bytes that are no text become longer as one: what is taken must fit when it is passed on. */
function path(from: ByteReader): string {
  const text = from.string(pathBytesMax);
  if (utf8Length(text) > pathBytesMax) from.fail();
  return text;
}
