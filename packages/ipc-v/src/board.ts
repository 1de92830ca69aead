/** The board for slot `ipc`: options, and how the parts are put together. */
import { seconds, type Task } from '@backplane/engine';
import { type Component, defineComponent, type Ipc } from '@backplane/slots';
import { z } from 'zod';
import { board } from './errors.ts';
import { VIpc } from './ipc.ts';
import { version } from './version.ts';

const options = z.strictObject({
  queuedMax: z
    .int()
    .min(1)
    .default(100)
    .describe(
      'requests in line at one process; when so many wait, further ones from other hosts are told that it is busy, and try again',
    ),
  concurrent: z
    .int()
    .min(1)
    .default(20)
    .describe('procedures of one process that run at once, where the process itself does not say'),
  probeSeconds: z
    .number()
    .positive()
    .default(5)
    .describe(
      'how often a process that receives from one process only, on another host, has it asked whether it is alive',
    ),
});

export interface VIpcOptions {
  readonly queuedMax?: number;
  readonly concurrent?: number;
  readonly probeSeconds?: number;
}

export const ipcV: Component<'ipc', VIpcOptions> = /* @__PURE__ */ defineComponent({
  name: board,
  version,
  slot: 'ipc',
  contract: 1,
  requires: ['transport+entities'],
  options,
  create: ({ transport }, { probeSeconds, ...limits }, machine): Ipc =>
    new VIpc(transport.entities, machine, { ...limits, probeNs: seconds(probeSeconds) }),
  *start(ipc): Task<void> {
    (ipc as VIpc).start();
  },
  *halt(ipc): Task<void> {
    yield* (ipc as VIpc).halt();
  },
});
