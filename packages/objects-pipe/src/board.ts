/** The board for slot `objects`: the kind "pipe". A pipe lives on the host that made it and dies with it. */
import {
  type Component,
  defineComponent,
  type Elsewhere,
  KernelError,
  type ObjectKind,
} from '@backplane/slots';
import { Pipe } from './pipe.ts';
import { PipeEnd } from './pipe-end.ts';
import { version } from './version.ts';

export const pipes: Component<'objects'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/objects-pipe',
  version,
  slot: 'objects',
  contract: 1,
  requires: ['streams'],
  create: ({ streams }, _options, machine) => {
    let made = 0;
    const kind: ObjectKind = {
      kind: 'pipe',
      pair() {
        const pipe = new Pipe((w) => streams.wake(w));
        made++;
        return {
          read: new PipeEnd(pipe, 'read', machine, made),
          write: new PipeEnd(pipe, 'write', machine, made),
        };
      },
      *open(e: Elsewhere) {
        throw new KernelError(
          'unsupported',
          `a pipe is not opened by name: ${JSON.stringify(e.elsewhere.id)}`,
        );
      },
    };
    streams.kind(kind);
    return kind;
  },
});
