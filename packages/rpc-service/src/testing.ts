/** For the tests of transports: procedures on bare bytes, and a ledger of what became of numbered calls. */

export {
  echoes,
  errorOf,
  gatedWork,
  kindOf,
  nothing,
  other,
  pattern,
  payload,
  work,
} from './testing/calls.ts';
export type { Pace } from './testing/ledger.ts';
export { Ledger, total } from './testing/ledger.ts';
