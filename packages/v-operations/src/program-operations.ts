/**
 * The program manager of each host, group `programManagers` (V's team server): starts programs on its host, knows those that
 * run, ends them. A program is an address space with the processes in it; it is known by its first one, the root.
 */
import type { EntityId } from '@backplane/slots';
import { bytes, entity, type Field, record, signed, text, word } from './field.ts';
import { type Operation, operation } from './operation.ts';

const nothing = {};
type Nothing = typeof nothing;

/** Who a program's processor time goes to; index in a request. */
export const programLevels = ['foreground', 'background', 'guest'] as const;
export type ProgramLevel = (typeof programLevels)[number];

/** Where a program finds its environment: far from what it uses itself. On a page boundary of every machine. */
export const environmentAddress = 0x7f00_0000;

/** What a new program finds in its memory, at `environmentAddress`: what that means is between it and who starts it. */
export interface ProgramStart {
  readonly name: string;
  readonly environment: Uint8Array;
}

const nameBytesMax = 255;
const environmentBytesMax = 16_000;

const programStart: Field<ProgramStart> = /* @__PURE__ */ record<ProgramStart>(
  'a program to start',
  (to, p) => to.string(p.name).opaque(p.environment),
  (from) => ({ name: from.string(nameBytesMax), environment: from.opaque(environmentBytesMax) }),
);

/**
 * A program that does not run yet: whoever asked for it starts its root (`startProcess`) when everything is in place. `text`
 * numbers its code among the natives. Its memory are its environment, of the length that is the root's argument, and `pages`
 * of zeros from address 0 on.
 */
export const createProgram: Operation<
  {
    readonly text: number;
    /** Index in `programLevels`. */
    readonly level: number;
    readonly pages: number;
    readonly start: ProgramStart;
  },
  { readonly root: EntityId; readonly space: number }
> = operation(0x0801, 'createProgram', {
  request: { text: word, level: word, pages: word, start: programStart },
  reply: { root: entity, space: word },
});

/** Replies when the program has ended. */
export const awaitProgram: Operation<{ readonly root: EntityId }, { readonly status: number }> = operation(
  0x0802,
  'awaitProgram',
  { request: { root: entity }, reply: { status: signed } },
);

export const terminateProgram: Operation<{ readonly root: EntityId }, Nothing> = operation(
  0x0803,
  'terminateProgram',
  { request: { root: entity }, reply: nothing },
);

/** Suspended or resumed, and with whose priority: its processes keep their order among themselves. */
export const modifyProgram: Operation<
  { readonly root: EntityId; readonly level: number; readonly suspended: number },
  Nothing
> = operation(0x0804, 'modifyProgram', {
  request: { root: entity, level: word, suspended: word },
  reply: nothing,
});

/**
 * To the whole group, on behalf of a program that needs so much: who is not willing to take it is silent.
 *
 * @see createProgram for what is then asked of the one that was chosen
 */
export const queryLoad: Operation<
  {
    /** Bytes of memory that it will want. */
    readonly memoryBytes: number;
    /** It comes from another host's user. */
    readonly guest: number;
    /** The type of machine that its code is for; empty for any. */
    readonly machineType: string;
  },
  {
    readonly manager: EntityId;
    readonly runnable: number;
    readonly programs: number;
    readonly freeBytes: number;
  }
> = operation(0x0805, 'queryLoad', {
  request: { memoryBytes: word, guest: word, machineType: text },
  reply: { manager: entity, runnable: word, programs: word, freeBytes: word },
});

/** The roots of the programs on this host, sixteen digits each. */
export const listPrograms: Operation<Nothing, { readonly roots: Uint8Array }> = operation(
  0x0806,
  'listPrograms',
  { request: nothing, reply: { roots: bytes } },
);

/** A program has left for another host: its manager there has been told (`adoptProgram`). Who awaits it is told to ask there. */
export const releaseProgram: Operation<{ readonly root: EntityId }, Nothing> = operation(
  0x0807,
  'releaseProgram',
  { request: { root: entity }, reply: nothing },
);

export const adoptProgram: Operation<
  { readonly root: EntityId; readonly space: number; readonly level: number; readonly name: string },
  Nothing
> = operation(0x0808, 'adoptProgram', {
  request: { root: entity, space: word, level: word, name: text },
  reply: nothing,
});

export const queryProgram: Operation<
  { readonly root: EntityId },
  { readonly space: number; readonly level: number; readonly name: string }
> = operation(0x0809, 'queryProgram', {
  request: { root: entity },
  reply: { space: word, level: word, name: text },
});

/** The program manager of this host: for who has to name it. */
export const findProgramManager: Operation<Nothing, { readonly manager: EntityId }> = operation(
  0x080a,
  'findProgramManager',
  { request: nothing, reply: { manager: entity } },
);
