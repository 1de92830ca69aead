/**
 * What a kernel has a process say that cannot go on: a message to the exception server of its host, group
 * `exceptionServers`, for whose reply it waits like for any other. Who replies decides.
 */
import type { EntityId } from '@backplane/slots';
import { entity, word } from './field.ts';
import { type Operation, operation } from './operation.ts';

const nothing = {};
type Nothing = typeof nothing;

/**
 * Index in a message. `address`: it is in no region; `access`: it may not be written; `program`: the program has given up
 * with an error that it did not handle.
 */
export const exceptionKinds = ['address', 'access', 'program'] as const;
export type ExceptionKind = (typeof exceptionKinds)[number];

/** `retry`: 1 when what went wrong is to be tried again; else the process ends. */
export const raiseException: Operation<
  { readonly process: EntityId; readonly kind: number; readonly address: number; readonly write: number },
  { readonly retry: number }
> = operation(0x0a01, 'raiseException', {
  request: { process: entity, kind: word, address: word, write: word },
  reply: { retry: word },
});

/**
 * From now on this process answers for exceptions of these: of one process, else of a program (any process of its address
 * space), else of everybody on the host. The handler gets `raiseException` as it was sent.
 */
export const handleExceptions: Operation<
  {
    /** `noEntity`: not of one process. */
    readonly process: EntityId;
    /** 0: of everybody. */
    readonly space: number;
    readonly handler: EntityId;
  },
  Nothing
> = operation(0x0a02, 'handleExceptions', {
  request: { process: entity, space: word, handler: entity },
  reply: nothing,
});
