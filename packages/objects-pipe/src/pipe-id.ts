/** What names a pipe in the cluster, and what all its ends have in common. */
import {
  type Attributes,
  authority,
  type HostId,
  hostId,
  type ObjectRef,
  type OpenHow,
  type Plain,
  type Traits,
} from '@backplane/slots';
import { bufferBytes, type End } from './pipe.ts';

/** Unique on its host over all boots. */
export interface Numbers {
  readonly boot: number;
  readonly number: number;
}
export interface PipeId extends Numbers {
  readonly madeNs: number;
}

export const pipeTraits: Traits = {
  blockBytes: bufferBytes,
  seekable: false,
  sharedOffset: true,
  afterCrash: 'lost',
};

export const pipeKey = (id: Numbers): string => `${id.boot}.${id.number}`;

export const refOf = (host: HostId, { boot, number, madeNs }: PipeId): ObjectRef => ({
  kind: 'pipe',
  protocol: 'pipe',
  authority: authority(String(host)),
  id: { boot, number, madeNs },
});

/** The authority of a pipe is minted here: the host that made it. */
export const makerOf = (ref: ObjectRef): HostId => hostId(Number(ref.authority));

/** Undefined for what no pipe has as its name: it may have come over the network. */
export function pipeIdOf(id: Plain): PipeId | undefined {
  if (typeof id !== 'object' || id === null || Array.isArray(id)) return undefined;
  const { boot, number, madeNs } = id as { readonly [key: string]: Plain };
  return isCount(boot) && isCount(number) && isCount(madeNs) ? { boot, number, madeNs } : undefined;
}

const isCount = (n: Plain | undefined): n is number => Number.isSafeInteger(n) && (n as number) >= 0;

export const howOf = (end: End): OpenHow => (end === 'read' ? { read: true } : { write: true });
export const endOf = (how: OpenHow): End => (how.read === true ? 'read' : 'write');

export const attributesOf = (ref: ObjectRef, id: PipeId, sizeBytes: number): Attributes => ({
  type: 'namedPipe',
  sizeBytes,
  links: 0,
  mode: 0o600,
  uid: 0,
  gid: 0,
  version: 0,
  modifyNs: id.madeNs,
  changeNs: id.madeNs,
  accessNs: id.madeNs,
  identity: `${ref.authority}:pipe${pipeKey(id)}`,
});
