/** Captures and dissectors. */
export type { DissectedProtocol } from './dissector.ts';
export { dissectorFor } from './dissector.ts';
export { captureHeader, capturePacket } from './pcapng.ts';
