/**
 * The process server of each kernel, group `processManagers`: processes of its host. Asked beside the process that is meant;
 * `create` beside any process of the host on which it is to be.
 */
import type { EntityId } from '@backplane/slots';
import { bytes, entity, signed, text, word } from './field.ts';
import { type Operation, operation } from './operation.ts';

const nothing = {};
type Nothing = typeof nothing;

/**
 * A new process, which does not run before `startProcess`. `text` numbers its code among the natives, `space` an address
 * space of the host (0: none). The process server does not know what a program is: it makes a descriptor, no more.
 */
export const createProcess: Operation<
  {
    readonly space: number;
    readonly text: number;
    readonly argument: number;
    readonly priority: number;
    readonly name: string;
  },
  { readonly process: EntityId }
> = operation(0x0201, 'createProcess', {
  request: { space: word, text: word, argument: word, priority: signed, name: text },
  reply: { process: entity },
});

export const startProcess: Operation<{ readonly process: EntityId }, Nothing> = operation(
  0x0202,
  'startProcess',
  { request: { process: entity }, reply: nothing },
);

/** Ends it. Nobody is told: servers find out on use, or ask. */
export const destroyProcess: Operation<{ readonly process: EntityId }, Nothing> = operation(
  0x0203,
  'destroyProcess',
  { request: { process: entity }, reply: nothing },
);

/** What the process is at, as numbers of a reply. */
export const processStates = ['new', 'running', 'frozen', 'ended'] as const;
export type ProcessState = (typeof processStates)[number];

export const queryProcess: Operation<
  { readonly process: EntityId },
  {
    /** Index in `processStates`. */
    readonly state: number;
    readonly priority: number;
    readonly space: number;
    readonly status: number;
    readonly name: string;
  }
> = operation(0x0204, 'queryProcess', {
  request: { process: entity },
  reply: { state: word, priority: signed, space: word, status: signed, name: text },
});

/** Its priority: who slices time does it by this, and suspends with the lowest. */
export const modifyProcess: Operation<{ readonly process: EntityId; readonly priority: number }, Nothing> =
  operation(0x0205, 'modifyProcess', { request: { process: entity, priority: signed }, reply: nothing });

/** It sends and receives nothing and does not compute, until it is thawed. */
export const freezeProcess: Operation<{ readonly process: EntityId }, Nothing> = operation(
  0x0206,
  'freezeProcess',
  { request: { process: entity }, reply: nothing },
);
export const unfreezeProcess: Operation<{ readonly process: EntityId }, Nothing> = operation(
  0x0207,
  'unfreezeProcess',
  { request: { process: entity }, reply: nothing },
);

/** Replies when it has ended, with what it returned. */
export const awaitProcess: Operation<{ readonly process: EntityId }, { readonly status: number }> = operation(
  0x0208,
  'awaitProcess',
  { request: { process: entity }, reply: { status: signed } },
);

/** The processes of one address space, sixteen digits each. */
export const queryTeam: Operation<{ readonly space: number }, { readonly processes: Uint8Array }> = operation(
  0x0209,
  'queryTeam',
  { request: { space: word }, reply: { processes: bytes } },
);

/**
 * A frozen process leaves for another host: its kernel hands it to the process server there (`arriveProcess`). It stays
 * frozen. On any failure it is still here.
 */
export const departProcess: Operation<
  {
    readonly process: EntityId;
    /** The process server that is to have it. */
    readonly to: EntityId;
    /** The address space there; 0: none. */
    readonly space: number;
  },
  Nothing
> = operation(0x020a, 'departProcess', {
  request: { process: entity, to: entity, space: word },
  reply: nothing,
});

/** Between kernels. `state` is what a kernel knows of a process, and the number of its continuation among the natives. */
export const arriveProcess: Operation<{ readonly space: number; readonly state: Uint8Array }, Nothing> =
  operation(0x020b, 'arriveProcess', { request: { space: word, state: bytes }, reply: nothing });

/** The process server of this host: for who has to name it. */
export const findProcessServer: Operation<Nothing, { readonly server: EntityId }> = operation(
  0x020c,
  'findProcessServer',
  { request: nothing, reply: { server: entity } },
);
