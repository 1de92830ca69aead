/**
 * Copies of a file's pages at many hosts, kept consistent by ownership: what hosts that keep pages and the file's server say
 * to one another. V had this (Cheriton 1988, section on memory: "consistency by an ownership protocol and a lock manager at
 * the server that implements the file"); the article has the idea only, so states, messages and layouts are our own.
 *
 *   state at a host   may read   may write   others have
 *   invalid           no         no          anything
 *   shared            yes        no          shared copies
 *   owned             yes        yes         nothing
 *
 *   operation       to             words of the request after the instance          segment
 *   attach          file server    2-3 the holder, 4 the object there, 5 page bytes
 *   acquireShared   file server    2 page
 *   acquireOwned    file server    2 page, 3 what it has of it, 4-5 the least size
 *   writeBack       file server    2 page, 3 version of its grant, 4 `WriteBack`    what the page holds
 *   extend          file server    4-5 the least size
 *   renew           file server
 *   recall          holder         2 page, 3 version                                (response) what was dirty
 *   invalidate      holder         2 page, 3 version                                (response) what was dirty
 *   resize          holder         3 version, 4-5 the size from now on
 *   stored          holder         2 page, 3 version of the callback it had something dirty for
 *
 * Word 1 is the instance, to a holder the number that it gave the object at `attach`. Responses of the server: word 1 a
 * version, words 2 and 3 the size of the file; of the acquiring ones, the segment is what the page holds.
 *
 * Rules.
 * - Versions rise with everything that the server grants and takes. A grant that arrives after an `invalidate` or `recall`
 *   of a higher version is void: it was overtaken, and the page is acquired once more.
 * - What is dirty travels in the response to the callback: nobody waits for a message of somebody who waits for him. The
 *   holder keeps it until it is told `stored`, which is before anybody else gets the page: until then a server that dies
 *   has it claimed.
 * - The size is the server's. A host that wants to store beyond the end says so first (`acquireOwned`, `extend`); the server
 *   makes the file longer, zeros, and tells all other holders, before it answers. So it goes within the last page as well.
 * - A holder may use what it has for `leaseNs` after it sent the last message that the server answered; then it has to
 *   `renew`. A server takes pages back from a silent holder when that time is over, and at once from a dead one. A server
 *   that comes back after a crash serves no page for as long, except that it takes `claimed` pages: what holders had dirty.
 * - Pages may be of different sizes at different hosts, of powers of two up to `unitBytes`.
 */
import { seconds } from '@backplane/engine';
import {
  type EntityId,
  entityIn,
  entityWords,
  type Message,
  message,
  ReplyCode,
  wordOf,
} from '@backplane/slots';

export const Ownership = {
  attach: 0x0130,
  acquireShared: 0x0131,
  acquireOwned: 0x0132,
  writeBack: 0x0133,
  extend: 0x0134,
  renew: 0x0135,
  recall: 0x0138,
  invalidate: 0x0139,
  resize: 0x013a,
  stored: 0x013b,
} as const;

/** How long a holder may rely on its last contact with the server. */
export const leaseNs: number = /* @__PURE__ */ seconds(10);

/** In word 3 of `acquireOwned`, instead of the version of the copy that is to become owned. */
export const PageHeld = { nothing: 0, overwritten: 0xffff_ffff } as const;

/** In word 4 of a `writeBack`: the page stays owned; it is given up; it was dirty when the server died. */
export const WriteBack = { keeping: 0, releasing: 1, claimed: 2 } as const;

export interface Attaching {
  /** The process that is called back. */
  readonly holder: EntityId;
  /** The holder's number for the file. */
  readonly object: number;
  readonly pageBytes: number;
}

export const toAttach = (instance: number, { holder, object, pageBytes }: Attaching): Message =>
  message({ code: Ownership.attach, words: [instance, ...entityWords(holder), object, pageBytes] });

export const attachingIn = (m: Message): Attaching => ({
  holder: entityIn(m, 2),
  object: wordOf(m, 4),
  pageBytes: wordOf(m, 5),
});

export const toAcquireShared = (instance: number, page: number): Message =>
  message({ code: Ownership.acquireShared, words: [instance, page] });

/** @param held the version of our copy, or one of `PageHeld` */
export const toAcquireOwned = (instance: number, page: number, held: number, leastBytes: number): Message =>
  message({ code: Ownership.acquireOwned, words: [instance, page, held, ...size(leastBytes)] });

export const toWriteBack = (
  instance: number,
  page: number,
  o: { readonly version: number; readonly how: number; readonly segment: Uint8Array },
): Message =>
  message({ code: Ownership.writeBack, words: [instance, page, o.version, o.how], segment: o.segment });

export const toExtend = (instance: number, leastBytes: number): Message =>
  message({ code: Ownership.extend, words: [instance, 0, 0, ...size(leastBytes)] });

export const toRenew = (instance: number): Message => message({ code: Ownership.renew, words: [instance] });

export const toTakePage = (
  code: typeof Ownership.recall | typeof Ownership.invalidate | typeof Ownership.stored,
  object: number,
  page: number,
  version: number,
): Message => message({ code, words: [object, page, version] });

export const toResize = (object: number, version: number, sizeBytes: number): Message =>
  message({ code: Ownership.resize, words: [object, 0, version, ...size(sizeBytes)] });

export const pageIn = (m: Message): number => wordOf(m, 2);
/** Of a page: what is held, granted or taken. */
export const versionIn = (m: Message): number => wordOf(m, 3);
export const howIn = (m: Message): number => wordOf(m, 4);
export const sizeIn = (m: Message): number => wordOf(m, 4) * high + wordOf(m, 5);

/** What the server answers. */
export interface PageGrant {
  readonly version: number;
  readonly sizeBytes: number;
  readonly content: Uint8Array;
}

export const granting = ({ version, sizeBytes, content }: PageGrant): Message =>
  message({ code: ReplyCode.ok, words: [version, ...size(sizeBytes)], segment: content });

export const granted = (m: Message): PageGrant => ({
  version: wordOf(m, 1),
  sizeBytes: wordOf(m, 2) * high + wordOf(m, 3),
  content: m.segment,
});

const high = 0x1_0000_0000;
const size = (bytes: number): readonly [number, number] => [Math.floor(bytes / high), bytes % high];
