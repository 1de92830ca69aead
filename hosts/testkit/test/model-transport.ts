/** The model of a transport whose entities move, as a board. Defects are planted in it, and the kits have to see them. */
import type { Engine } from '@backplane/engine';
import { type Board, defineComponent, type Transport } from '@backplane/slots';
import { EntityNet, EntityPort } from '@backplane/slots/testing';

const nets = new WeakMap<Engine, EntityNet>();

/** Of a transport it has its entities only. */
export const modelTransport: () => Board<'transport'> = defineComponent({
  name: 'transport-model',
  version: '0.1.0',
  slot: 'transport',
  contract: 1,
  requires: [],
  capabilities: ['entities'],
  create: (_granted, _options, { engine, scope, host }) => {
    const net = nets.get(engine) ?? new EntityNet(engine, { strict: false });
    nets.set(engine, net);
    return { entities: new EntityPort(net, scope, host) } as Partial<Transport> as Transport; // boundary: see above
  },
});
