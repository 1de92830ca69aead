/** Kernels: by name, and as an outside file gives them. What a machine runs depends on its role and on the domains it serves. */
import { memoryStorage } from '@backplane/fs-memory';
import { type Kernel, slotOfInstance } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';
import { vFileServer, vWorkstation } from '@backplane/v';
import { unknownKernel } from './errors.ts';

/** The machine that a kernel is for. */
export interface KernelPlace {
  readonly machine: string;
  /** `client` or `server`. */
  readonly role: string;
  /** The domains that the experiment has this machine serve; none on a client. */
  readonly prefixes: readonly string[];
}
export type KernelFor = (place: KernelPlace) => Kernel;

const named: { readonly [name: string]: KernelFor } = {
  sprite: ({ role, prefixes }) => (role === 'server' ? spriteServer(prefixes) : spriteClient()),
  v: ({ prefixes }) => (prefixes.length > 0 ? vFileServer(prefixes) : vWorkstation()),
};

export const kernelNames: readonly string[] = Object.keys(named);

/** @throws BackplaneError with the nearest name */
export function kernelNamed(name: string): KernelFor {
  const kernel = named[name];
  if (kernel === undefined) throw unknownKernel(name, kernelNames);
  return kernel;
}

/**
 * One kernel for every machine that it is given to. Domains belong to the experiment rather than to the kernel: a
 * server whose kernel has no storage of its own gets one in memory for each domain, and a client serves none.
 */
export function everywhere(kernel: Kernel): KernelFor {
  return ({ role, prefixes }) => {
    if (role !== 'server') return kernel.without('storage');
    return [...kernel.boards.keys()].some((instance) => slotOfInstance(instance) === 'storage')
      ? kernel
      : kernel.with({
          storage: Object.fromEntries(prefixes.map((prefix, domain) => [prefix, memoryStorage({ domain })])),
        });
  };
}
