/**
 * A machine of no cost that has a disk, a cache and a storage, for work on an image: the storage's own code does it, and
 * no virtual time passes. The host gets a turn now and then, so that it hears an interrupt and can say how far things are.
 */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { Cluster } from '@backplane/chassis';
import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { sleep, type Task } from '@backplane/engine';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { memory } from '@backplane/hw-memory';
import { fixedMemory } from '@backplane/memory-policy-fixed';
import { type Board, type Disk, defineComponent, defineKernel, type Storage } from '@backplane/slots';

/** What work on an attached image has. */
export interface Attached {
  readonly storage: Storage;
  /** Lets the host have its turn. */
  breathe(): Task<void>;
}

const memoryBytes = 96 << 20;

/**
 * Attaches the storage to the disk, does the work, and detaches it in good order.
 *
 * @param turn the host's: what it throws ends the work, and nothing is detached
 * @throws what `turn` and the work throw
 */
export async function withStorage<T>(
  o: { readonly disk: Disk; readonly board: Board; readonly turn: () => void },
  work: (attached: Attached) => Task<T>,
): Promise<T> {
  const imageDisk = defineComponent({
    name: 'image-disk',
    version: '1.0.0',
    slot: 'disk',
    contract: 1,
    requires: [],
    create: () => o.disk,
  });
  const kernel = defineKernel('image', {
    memory: memory({ kernelBytes: 0 }),
    memoryPolicy: fixedMemory({ filesShare: 0.9 }),
    blockCache: lruBlockCache(),
    cleaner: costBenefitCleaner(),
    disk: imageDisk(),
    storage: o.board as Board<'storage'>, // boundary: the caller has looked it up by that slot
  });
  const type = { ...zeroCost, memoryBytes };
  const cluster = new Cluster({
    medium: ethernet(),
    machines: [{ name: 'image', type, role: 'server', kernel }],
  });
  const machine = cluster.machine('image');
  const outcome: { value?: T; ended: boolean } = { ended: false };
  const breathe = function* (): Task<void> {
    cluster.engine.stop();
    yield* sleep(0);
  };
  cluster.start(
    'image',
    (function* (): Task<void> {
      yield* cluster.bootAll();
      outcome.value = yield* work({ storage: machine.board('storage'), breathe });
      yield* machine.halt();
      outcome.ended = true;
    })(),
  );
  for (;;) {
    runOn(cluster);
    if (outcome.ended) return outcome.value as T; // boundary: just seen to be there
    o.turn();
    await new Promise((resume) => setImmediate(resume));
  }
}

/** What a thread throws comes out of the engine with the thread's name around it. */
function runOn(cluster: Cluster): void {
  const before = cluster.engine.events;
  try {
    cluster.engine.run();
  } catch (e) {
    throw e instanceof Error && e.cause !== undefined ? e.cause : e;
  }
  if (cluster.engine.events === before) throw new Error('the storage waits for ever');
}
