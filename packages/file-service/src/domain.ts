/**
 * One domain as its server half sees it: the storage, what is open, what it costs, and what the protocol wants to be
 * told. The name operations of every protocol work on this.
 */
import { charge, type Task } from '@backplane/engine';
import {
  type AttributeChange,
  Busy,
  type Credentials,
  type FileId,
  type HostId,
  type Machine,
  type Storage,
  type StoredAttributes,
} from '@backplane/slots';
import { OpenFiles } from './open-files.ts';
import type { WalkFrom } from './walk.ts';

/** Who asks: on whose behalf, from which type of machine (for `$MACHINE`), and from which host where that matters. */
export interface Asker {
  readonly who: Credentials;
  readonly machineType: string;
  readonly host?: HostId;
}

/** What a protocol adds to the plain operations. */
export interface DomainHooks {
  /** Attributes as they are now: of what clients may have changed in their caches. The asker knows its own changes. */
  fresh(f: FileId, a: StoredAttributes, asker: HostId | undefined): Task<StoredAttributes>;
  /** A file was freed: nobody needs its blocks any more. */
  freed(f: FileId): void;
  /** Attributes were set by name: what clients report of earlier times is out of date. */
  changed?(f: FileId, change: AttributeChange): void;
}

export class Domain {
  readonly storage: Storage;
  readonly machine: Machine;
  readonly hooks: DomainHooks;
  readonly opens: OpenFiles;

  constructor(storage: Storage, machine: Machine, hooks: DomainHooks) {
    this.storage = storage;
    this.machine = machine;
    this.hooks = hooks;
    this.opens = new OpenFiles(storage);
  }

  get nowNs(): number {
    return this.machine.engine.nowNs;
  }

  /** A walk on somebody's behalf, each component charged. */
  from(start: FileId, asker: Asker, o: { readonly follow: boolean; readonly entry: boolean }): WalkFrom {
    const { componentLookupNs } = this.machine.type.costs;
    return {
      root: this.storage.root,
      start,
      who: asker.who,
      machineType: asker.machineType,
      ...o,
      component: () => charge(componentLookupNs, Busy.files),
    };
  }

  *fresh(f: FileId, asker?: HostId): Task<StoredAttributes> {
    return yield* this.hooks.fresh(f, yield* this.storage.attributes(f), asker);
  }

  /** A name of the file has gone. */
  *unnamed(f: FileId, linksLeft: number): Task<void> {
    if (linksLeft === 0 && (yield* this.opens.unlinked(f))) this.hooks.freed(f);
  }

  *closed(f: FileId): Task<void> {
    if (yield* this.opens.close(f)) this.hooks.freed(f);
  }
}
