/** What a cluster is made of: one segment, and machines with a type, a role and a kernel each. */
import type { Board, Kernel, MachineType } from '@backplane/slots';

export interface MachineDescription {
  /** Name on the network: letters, digits and hyphens, unique in the cluster. */
  readonly name: string;
  readonly type: MachineType;
  readonly role: string;
  /** The boards of this machine, hardware and kernel: each slot knows how long its boards live. */
  readonly kernel: Kernel;
  /** 1..199; by default the place in the list, from 1. */
  readonly host?: number;
}

export interface ClusterDescription {
  readonly medium: Board<'medium'>;
  readonly machines: readonly MachineDescription[];
}

/** What is installed and could fill a slot, for the remedies that errors propose. */
export interface Installed {
  readonly name: string;
  /** The short name that `--set` takes, such as `nfs`. */
  readonly short: string;
  readonly slot: string;
}
