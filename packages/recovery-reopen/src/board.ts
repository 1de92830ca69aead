/** The board for slot `recovery`: each client reopens what it had when its server is back. */
import { seconds } from '@backplane/engine';
import { type Component, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { ReopenRecovery } from './recovery.ts';
import { version } from './version.ts';

const options = z.strictObject({
  giveUpSeconds: z
    .number()
    .nonnegative()
    .default(0)
    .describe('how long an operation waits for a server that is down, in seconds; 0: for ever'),
});
export interface ReopenRecoveryOptions {
  readonly giveUpSeconds?: number;
}

export const reopenRecovery: Component<'recovery', ReopenRecoveryOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/recovery-reopen',
  version,
  slot: 'recovery',
  contract: 1,
  requires: ['transport'],
  speaks: ['recovery-reopen'],
  serves: [{ protocol: 'recovery-reopen' }],
  options,
  create: ({ transport }, { giveUpSeconds }, machine) =>
    new ReopenRecovery(
      transport,
      machine,
      giveUpSeconds === 0 ? Number.POSITIVE_INFINITY : seconds(giveUpSeconds),
    ),
});
