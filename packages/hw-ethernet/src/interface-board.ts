/** The board for slot `nic`: one machine's interface to the segment. */
import { type Component, defineComponent, type Machine, type OptionsSchema } from '@backplane/slots';
import { hostMac } from '@backplane/wire';
import { z } from 'zod';
import { EthernetInterface } from './interface.ts';
import { version } from './version.ts';

export interface EthernetInterfaceOptions {
  /** Which of its machine's interfaces this is; 0 when absent. */
  readonly unit?: number | undefined;
}

const options: OptionsSchema<EthernetInterfaceOptions, { readonly unit: number }> = z.strictObject({
  unit: z
    .int()
    .min(0)
    .max(255)
    .default(0)
    .describe(
      'which interface of its machine this is: it goes into the station address, so that each has its own',
    ),
});

export const ethernetInterface: Component<
  'nic',
  Partial<EthernetInterfaceOptions>
> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-ethernet',
  version,
  slot: 'nic',
  contract: 1,
  requires: ['medium'],
  options,
  create: ({ medium }, { unit }, machine) => {
    // 02-00-00, the unit, 00, the host: locally administered, and host numbers are below 200.
    const made = new EthernetInterface(machine, medium, hostMac(unit * 0x10000 + machine.host));
    register(machine, made);
    return made;
  },
  reset: (board) => (board as EthernetInterface).reset(),
});

function register({ metrics, role }: Machine, { counts }: EthernetInterface): void {
  metrics.register('network.damaged', () => counts.damaged);
  metrics.register('network.unclaimed', () => counts.unclaimed);
  metrics.register('network.queuedMax', () => counts.queuedMax, 'max');
  metrics.register(`nic.${role}.sentFrames`, () => counts.sentFrames);
  metrics.register(`nic.${role}.sentBytes`, () => counts.sentBytes);
  metrics.register(`nic.${role}.receivedFrames`, () => counts.receivedFrames);
  metrics.register(`nic.${role}.receivedBytes`, () => counts.receivedBytes);
}
