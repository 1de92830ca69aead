/**
 * The memory server of each kernel, group `memoryManagers`: address spaces of its host, by number, and what their regions are
 * bound to. Asked beside any process of the host.
 */
import { type EntityId, entityId } from '@backplane/slots';
import { bytes, entity, type Field, record, text, word } from './field.ts';
import { type Operation, operation } from './operation.ts';

const nothing = {};
type Nothing = typeof nothing;

export const createSpace: Operation<
  { readonly name: string },
  { readonly space: number; readonly pageBytes: number }
> = operation(0x0311, 'createSpace', { request: { name: text }, reply: { space: word, pageBytes: word } });

/** With its processes. */
export const destroySpace: Operation<{ readonly space: number }, Nothing> = operation(
  0x0312,
  'destroySpace',
  {
    request: { space: word },
    reply: nothing,
  },
);

/** What a region is bound to: an instance at its manager, from one of its pages on. */
export interface BoundObject {
  readonly manager: EntityId;
  /** 0: there is none to hand over, and the kernel opens one by the key. */
  readonly instance: number;
  readonly key: string;
  readonly sizeBytes: number;
  /** Whether the instance is open for writing. */
  readonly writable: boolean;
  readonly firstPage: number;
  /** A store makes a copy of the page. */
  readonly private: boolean;
}

const entityDigits = 16;
const keyBytesMax = 255;

const boundObject: Field<BoundObject | null> = /* @__PURE__ */ record<BoundObject | null>(
  'what a region is bound to',
  (to, o) => {
    to.bool(o !== null);
    if (o === null) return;
    to.string(o.manager).u32(o.instance).string(o.key).number64(o.sizeBytes);
    to.bool(o.writable).u32(o.firstPage).bool(o.private);
  },
  (from) =>
    from.bool()
      ? {
          manager: entityId(from.string(entityDigits)),
          instance: from.u32(),
          key: from.string(keyBytesMax),
          sizeBytes: from.number64(),
          writable: from.bool(),
          firstPage: from.u32(),
          private: from.bool(),
        }
      : null,
);

/** `object` null: zeros, of this space alone. */
export const bindRegion: Operation<
  {
    readonly space: number;
    readonly first: number;
    readonly pages: number;
    readonly writable: number;
    readonly object: BoundObject | null;
  },
  Nothing
> = operation(0x0313, 'bindRegion', {
  request: { space: word, first: word, pages: word, writable: word, object: boundObject },
  reply: nothing,
});

export const unbindRegion: Operation<
  { readonly space: number; readonly first: number; readonly pages: number },
  Nothing
> = operation(0x0314, 'unbindRegion', {
  request: { space: word, first: word, pages: word },
  reply: nothing,
});

/** The regions, three words each: first page, pages, writable. */
export const querySpace: Operation<
  { readonly space: number },
  { readonly pageBytes: number; readonly residentPages: number; readonly regions: Uint8Array }
> = operation(0x0315, 'querySpace', {
  request: { space: word },
  reply: { pageBytes: word, residentPages: word, regions: bytes },
});

/** Which space a process is in: 0 for none. */
export const spaceOf: Operation<{ readonly process: EntityId }, { readonly space: number }> = operation(
  0x0316,
  'spaceOf',
  { request: { process: entity }, reply: { space: word } },
);

/** Its memory as an open file, for who may look into programs: debuggers, and who prepares one to run. At most 16 KB. */
export const readSpace: Operation<
  { readonly space: number; readonly address: number; readonly count: number },
  { readonly content: Uint8Array }
> = operation(0x0317, 'readSpace', {
  request: { space: word, address: word, count: word },
  reply: { content: bytes },
});

export const writeSpace: Operation<
  { readonly space: number; readonly address: number; readonly content: Uint8Array },
  Nothing
> = operation(0x0318, 'writeSpace', {
  request: { space: word, address: word, content: bytes },
  reply: nothing,
});

/** What a region begins with; null for memory of the space's own. @see bindRegion */
export const queryRegion: Operation<
  { readonly space: number; readonly first: number },
  { readonly object: BoundObject | null }
> = operation(0x0319, 'queryRegion', {
  request: { space: word, first: word },
  reply: { object: boundObject },
});

/**
 * Page numbers, in ascending order. `since` 0: those that have content of their own, and from now on it is noted what is
 * written; 1: those that were written since this was last asked; 2: the same, and nothing is noted any more.
 */
export const writtenPages: Operation<
  { readonly space: number; readonly since: number },
  { readonly pages: Uint8Array }
> = operation(0x031a, 'writtenPages', {
  request: { space: word, since: word },
  reply: { pages: bytes },
});
