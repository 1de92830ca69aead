/** The board for slot `vm` without paging: what a program has dirtied stays in memory until it ends. */
import { type Component, defineComponent, type Vm } from '@backplane/slots';
import { ResidentPages } from './resident-pages.ts';
import { Space } from './space.ts';
import { version } from './version.ts';

export const residentVm: Component<'vm'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/vm-resident',
  version,
  slot: 'vm',
  contract: 1,
  requires: ['memory', 'memoryPolicy'],
  create: ({ memory, memoryPolicy }, _options, machine): Vm => {
    const resident = new ResidentPages(memory);
    memoryPolicy.register(resident);
    machine.metrics.register('vm.residentPages', () => resident.frames());
    return { space: () => new Space(memoryPolicy, resident, machine) };
  },
});
