/**
 * Who calls (RFC 1057, section 9). A client that a server does not know introduces itself with AUTH_UNIX, its boot
 * identifier in the stamp; the reply's verifier is an AUTH_SHORT short hand, which is its credential from then on.
 */
import { ByteReader, ByteWriter } from '@backplane/wire';
import { flavors, limits, type ShortHand, shortHand } from './layout.ts';

export type Credential =
  | { readonly flavor: 'none' }
  | { readonly flavor: 'unix'; readonly bootId: number }
  | { readonly flavor: 'short'; readonly hand: ShortHand };

/** Flavor, length and body of each, as they stand in a message. */
export const noAuth: Uint8Array = new Uint8Array(8);

export const unixAuth = (bootId: number, machineName: string): Uint8Array => {
  const superUser = 0;
  const body = new ByteWriter()
    .u32(bootId)
    .string(machineName)
    .u32(superUser)
    .u32(superUser)
    .list([], () => {})
    .finish();
  return auth(flavors.unix, body);
};

export const shortAuth = (hand: ShortHand): Uint8Array => auth(flavors.short, shortHand.encode(hand));

const auth = (flavor: number, body: Uint8Array): Uint8Array =>
  new ByteWriter().u32(flavor).opaque(body).finish();

/** The credential or verifier that comes next; undefined for one of another flavor or form. Fails with the reader. */
export function readAuth(from: ByteReader): Credential | undefined {
  const flavor = from.u32();
  const body = from.opaque(limits.authBytes);
  if (from.failed) return undefined;
  if (flavor === flavors.none) return { flavor: 'none' };
  if (flavor === flavors.unix) return unixIn(body);
  if (flavor !== flavors.short || body.length !== shortHand.size) return undefined;
  const hand = shortHand.decode(body);
  return hand.serverBoot === 0 || hand.clientBoot === 0 ? undefined : { flavor: 'short', hand };
}

function unixIn(body: Uint8Array): Credential | undefined {
  const from = new ByteReader(body);
  const bootId = from.u32();
  from.opaque(limits.machineNameBytes);
  from.u32(); // user and group: the super user's, who alone may use reserved ports
  from.u32();
  from.list((r) => r.u32(), limits.groups);
  return from.failed || from.remaining > 0 || bootId === 0 ? undefined : { flavor: 'unix', bootId };
}
