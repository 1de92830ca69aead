/**
 * The board for slot `servers`: the kernel's device server, a module that each kernel has and that is called by message, here
 * and from elsewhere alike. It is a member of the well-known group of device managers: who does not know its number asks the
 * one beside some process.
 */
import { seconds, type Task } from '@backplane/engine';
import { type Component, defineComponent, type Server, wellKnown } from '@backplane/slots';
import { ServedObjects, type UioObject } from '@backplane/uio';
import { z } from 'zod';
import { Devices } from './devices.ts';
import type { MouseState } from './mouse.ts';
import { version } from './version.ts';

const options = z.strictObject({
  inboxBlocks: z
    .int()
    .min(1)
    .max(1024)
    .default(16)
    .describe(
      'packets that wait for each who reads packets, and blocks of keys; what comes beyond that is lost',
    ),
  probeSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('how often the server asks whether the owners of open devices are alive'),
});
export interface DeviceServerOptions {
  readonly inboxBlocks?: number;
  readonly probeSeconds?: number;
}

/** The server, and the person at its machine. */
export interface DeviceServer extends Server {
  /** Keys come in at the console. */
  typed(bytes: Uint8Array): void;
  /** The mouse is here now. */
  moved(state: MouseState): void;
}

export const deviceServer: Component<'servers', DeviceServerOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/device-server-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc', 'processors', 'disk?', 'nic?'],
  options,
  create: ({ ipc, processors, disk, nic }, { inboxBlocks, probeSeconds }, machine): DeviceServer => {
    const devices = new Devices({ disks: disk, nics: nic, processors, machine, inboxBlocks });
    const objects = new ServedObjects<UioObject>(ipc, machine, {
      name: 'device server',
      model: 'procedures',
      // Those that wait for input keep nobody else out.
      concurrent: Number.POSITIVE_INFINITY,
      probeNs: seconds(probeSeconds),
      *create(q): Task<readonly [UioObject]> {
        return [devices.open(q)];
      },
    });
    objects.process.join(ipc.wellKnownGroup(wellKnown.deviceManagers));
    machine.metrics.register('devices.open', () => objects.instances.count);
    machine.metrics.register('devices.lost', () => devices.lost);
    return {
      process: objects.process.id,
      typed: (bytes) => devices.line.typed(bytes),
      moved: (state) => devices.mouse.moved(state),
    };
  },
});
