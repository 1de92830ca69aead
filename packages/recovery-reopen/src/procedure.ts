/** What a recovering client tells its server (Sprite's FS_RECOVERY, procedure 33). */
import { inParameters, type Procedure } from '@backplane/slots';
import { record } from '@backplane/wire';

/** `begin`: I am about to reopen what I had; refuse my ordinary opens. `complete`: that was all. */
export type Phase = 'begin' | 'complete';

/** The reply to `complete`: has this life of the server seen the `begin`, and forgotten nothing of the client since? */
export const recover: Procedure<Phase, boolean> = {
  id: 33,
  name: 'recovery',
  request: inParameters(
    record<Phase>(
      'phase',
      (to, phase) => void to.bool(phase === 'complete'),
      (from) => (from.bool() ? 'complete' : 'begin'),
    ),
  ),
  reply: inParameters(
    record<boolean>(
      'known',
      (to, known) => void to.bool(known),
      (from) => from.bool(),
    ),
  ),
};
