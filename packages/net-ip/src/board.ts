/** The board for slot `internet`: options, and how it is put together. */
import { seconds } from '@backplane/engine';
import { type Component, chooseInterface, defineComponent, type Machine, type Nic } from '@backplane/slots';
import { IPV4 } from '@backplane/wire';
import { z } from 'zod';
import { board, linkTooNarrow } from './errors.ts';
import { InternetProtocol } from './internet-protocol.ts';
import { version } from './version.ts';

const options = z.strictObject({
  nic: z
    .string()
    .default('')
    .describe('name of the interface that carries the datagrams; empty: the only one that the machine has'),
  reassemblySeconds: z
    .number()
    .positive()
    .default(30)
    .describe('how long the fragments of a datagram wait for those that lack, in seconds'),
  datagramsMax: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .describe('datagrams that may lack fragments at once; one more, and the oldest is given up'),
});

export interface InternetOptions {
  readonly nic?: string;
  readonly reassemblySeconds?: number;
  readonly datagramsMax?: number;
}

export const ip: Component<'internet', InternetOptions> = /* @__PURE__ */ defineComponent({
  name: board,
  version,
  slot: 'internet',
  contract: 1,
  requires: ['nic', 'locator', 'processors'],
  speaks: ['ip'],
  serves: [{ protocol: 'ip' }],
  options,
  create: ({ nic, locator, processors }, settings, machine) =>
    new InternetProtocol(machine, theInterface(machine, nic, settings.nic), locator, processors, {
      reassemblyNs: seconds(settings.reassemblySeconds),
      datagramsMax: settings.datagramsMax,
    }),
});

function theInterface(machine: Machine, interfaces: ReadonlyMap<string, Nic>, wanted: string): Nic {
  const nic = chooseInterface({ board, machine: machine.name }, interfaces, wanted);
  if (nic.mtuBytes < IPV4.mtuBytesMin) throw linkTooNarrow(machine.name, nic.mtuBytes, IPV4.mtuBytesMin);
  return nic;
}
