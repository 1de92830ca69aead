/** The board for slot `locator`: address resolution on one segment. */
import { ms } from '@backplane/engine';
import { type Component, chooseInterface, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { ArpLocator } from './arp.ts';
import { version } from './version.ts';

const options = z.strictObject({
  nic: z
    .string()
    .default('')
    .describe('name of the interface whose segment is asked; empty: the only one that the machine has'),
  tries: z.int().min(1).max(100).default(4).describe('broadcasts before a host is called unreachable'),
  waitMs: z
    .number()
    .positive()
    .default(500)
    .describe('how long one broadcast waits for the answer, in milliseconds'),
});
export interface ArpLocatorOptions {
  readonly nic?: string;
  readonly tries?: number;
  readonly waitMs?: number;
}

export const arpLocator: Component<'locator', ArpLocatorOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/locator-arp',
  version,
  slot: 'locator',
  contract: 1,
  requires: ['nic', 'processors'],
  speaks: ['sprite-arp'],
  serves: [{ protocol: 'sprite-arp' }],
  options,
  create({ nic: interfaces, processors }, { nic, tries, waitMs }, machine) {
    const own = chooseInterface({ board: '@backplane/locator-arp', machine: machine.name }, interfaces, nic);
    return new ArpLocator(machine, own, processors, tries, ms(waitMs));
  },
});
