/**
 * The board for slot `servers` with what is left in V's kernel beside messages: processes, address spaces, groups, time. Each
 * is a module that only serves objects of its own host; it is in every kernel, invoked by message in the procedure model,
 * from the same host or another (Cheriton 1988). Devices are a board of their own.
 */
import { ms } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type EntityId,
  type Ipc,
  type Machine,
  wellKnown,
} from '@backplane/slots';
import { Askers, type Operations } from '@backplane/v-operations';
import { z } from 'zod';
import { BoundObjects } from './bound-objects.ts';
import { Clock } from './clock.ts';
import { groupServer } from './group-server.ts';
import { memoryServer } from './memory-server.ts';
import { processServer } from './process-server.ts';
import { Processes } from './processes.ts';
import { Spaces } from './spaces.ts';
import { timeServer } from './time-server.ts';
import { version } from './version.ts';

const options = z.strictObject({
  clockSkewMs: z
    .number()
    .default(0)
    .describe('how far the clock is ahead when the machine boots, in milliseconds'),
  clockDriftPpm: z.number().default(0).describe('how much the clock gains, in millionths'),
});
export interface KernelServersOptions {
  readonly clockSkewMs?: number;
  readonly clockDriftPpm?: number;
}

export const kernelServers: Component<'servers', KernelServersOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/kernel-servers-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc', 'vm', 'scheduler', 'naming?'],
  options,
  create: ({ ipc, vm, scheduler, naming }, { clockSkewMs, clockDriftPpm }, machine) => {
    const spaces = new Spaces(vm, machine, new BoundObjects({ ipc, vm, naming, machine }));
    const processes = new Processes(ipc, scheduler, machine, spaces);
    const clock = new Clock(machine.engine, ms(clockSkewMs), clockDriftPpm);
    const serve = (name: string, group: number, operations: Operations): EntityId =>
      serveGroup(ipc, machine, name, group, operations);
    serve('memory server', wellKnown.memoryManagers, memoryServer(spaces, processes));
    serve('communication server', wellKnown.communicationManagers, groupServer(ipc));
    serve('time server', wellKnown.timeServers, timeServer(clock));
    const askers = new Askers(ipc, 'process server', machine.scope);
    const process: EntityId = serve(
      'process server',
      wellKnown.processManagers,
      processServer(processes, askers, () => process),
    );
    return { process };
  },
});

/** A request may wait as long as it likes: for a delay, for the end of a process. */
function serveGroup(
  ipc: Ipc,
  machine: Machine,
  name: string,
  group: number,
  operations: Operations,
): EntityId {
  const server = ipc.create({ name, scope: machine.scope, space: null });
  operations.serve(server, Number.POSITIVE_INFINITY);
  server.join(ipc.wellKnownGroup(group));
  return server.id;
}
