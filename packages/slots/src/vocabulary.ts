/**
 * The words that several contracts share.
 *
 * `Authority` and `Token` are minted by a file protocol. Everybody else may store, ship and compare them; nobody
 * else may take them apart. That is what lets one naming board serve host numbers and V entities alike.
 */
export type Brand<T, B extends string> = T & { readonly __brand: B };

/** A kernel's endpoint on the network, 1..199 as in Sprite; found by the locator. Survives reboots. */
export type HostId = Brand<number, 'HostId'>;
/** A stream, unique in the cluster: minted by the host that opened it from host, boot and a counter. */
export type StreamId = Brand<string, 'StreamId'>;
/** Whom to ask about a name. */
export type Authority = Brand<string, 'Authority'>;
/** From where to look a name up: the root of a domain, a context. */
export type Token = Brand<string, 'Token'>;
/** A file access protocol: 'sprite', 'nfs', 'uio'. An open set. */
export type ProtocolId = string;

/** Values that survive a trip over a wire unchanged. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** Takes a registration back. Calling it twice does nothing the second time. */
export type Undo = () => void;

/** What to do after silence: the server is back and the operation may be tried again, or nobody expects it back. */
export type Verdict = 'retry' | 'give-up';

export const hostId = (n: number): HostId => n as HostId;
export const streamId = (text: string): StreamId => text as StreamId;
export const authority = (text: string): Authority => text as Authority;
export const token = (text: string): Token => text as Token;
