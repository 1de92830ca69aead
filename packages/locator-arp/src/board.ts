/** The board for slot `locator`: address resolution on one segment. */
import { ms } from '@backplane/engine';
import { type Component, defineComponent, type Machine, type Nic } from '@backplane/slots';
import { z } from 'zod';
import { ArpLocator } from './arp.ts';
import { noSuchInterface } from './errors.ts';
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
  create: ({ nic, processors }, { nic: wanted, tries, waitMs }, machine) =>
    new ArpLocator(machine, theInterface(machine, nic, wanted), processors, tries, ms(waitMs)),
});

function theInterface(machine: Machine, interfaces: ReadonlyMap<string, Nic>, wanted: string): Nic {
  const [first] = interfaces.keys();
  const name = wanted === '' && interfaces.size === 1 ? first : wanted;
  const nic = name === undefined ? undefined : interfaces.get(name);
  if (nic === undefined) throw noSuchInterface(machine.name, wanted, [...interfaces.keys()]);
  return nic;
}
