/** The remote wake-up (Sprite's REMOTE_WAKEUP, procedure 39): one ticket, no answer to speak of. */
import { inParameters, noPayload, type Procedure } from '@backplane/slots';
import { record } from '@backplane/wire';

export const remoteWakeUp: Procedure<number, null> = {
  id: 39,
  name: 'remoteWakeUp',
  request: inParameters(
    record(
      'ticket',
      (to, ticket) => to.u32(ticket),
      (from) => from.u32(),
    ),
  ),
  reply: noPayload,
};
