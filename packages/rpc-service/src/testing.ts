/**
 * For the tests of transports: procedures on bare bytes, a ledger of what became of numbered calls; and a transport for the
 * tests of those who use one.
 */

export {
  echoes,
  errorOf,
  gatedWork,
  nothing,
  other,
  payload,
  work,
} from './testing/calls.ts';
export type { Pace } from './testing/ledger.ts';
export { Ledger, total } from './testing/ledger.ts';
export type { Envelope } from './testing/net.ts';
export { End, Net } from './testing/net.ts';
