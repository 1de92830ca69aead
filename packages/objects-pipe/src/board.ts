/** The board for slot `objects`: the kind "pipe". */
import { type Component, defineComponent } from '@backplane/slots';
import { Pipes } from './pipes.ts';
import { version } from './version.ts';

export const pipes: Component<'objects'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/objects-pipe',
  version,
  slot: 'objects',
  contract: 1,
  requires: ['streams', 'transport'],
  create: ({ streams, transport }, _options, machine) => {
    const kind = new Pipes(machine, transport, streams);
    streams.kind(kind);
    return kind;
  },
});
