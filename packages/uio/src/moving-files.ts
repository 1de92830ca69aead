/**
 * Open files of a program that goes from host to host: its kernel's memory server hands them to that of the other host, and
 * keeps nothing of them. It is the same instance at the file's own server before and after, with its locks; only who has
 * pages of it changes. Our own: the record says that open files need not move, and has no program with pages at its host.
 *
 *   who asks           whom               operation        what is done
 *   who moves it       the old host's     writeBackFiles   what is dirty of the program's files goes to their servers
 *   who moves it       the old host's     handOverFiles    `takeFile` for each file of the program, while that stands still
 *   the old host's     the new host's     takeFile         it attaches, and answers with its own number for the file
 *   the program        the new host's     followFile       by the number that it knows: where is it now?
 *   the new host's     the old host's     handOverFile     the same as above, for one that was left there
 *
 * A memory server remembers by which numbers a file was known before, until it is released. Who asks for one that it has not
 * got, and that was not handed over when the program moved, has it fetched; what belongs to a manager that hands nothing over
 * stays where it is.
 */
import { message as areas, type Reading, type Writing } from '@backplane/file-service';
import { type EntityId, entityId, noPayload, type Procedure } from '@backplane/slots';

/** An instance, and whose number that is. */
export interface InstancePlace {
  readonly manager: EntityId;
  readonly instance: number;
}

/** What goes from one memory server to the other. */
export interface FileHandedOver extends InstancePlace {
  /** Of its pages. */
  readonly key: string;
  /** Bits of `UioAttribute`. */
  readonly attributes: number;
  readonly owner: EntityId;
  /** Stores were lost that nobody has been told of. */
  readonly lost: boolean;
  /** By which the program may know it. */
  readonly formerly: readonly InstancePlace[];
}

const entityDigits = 16;
const keyBytesMax = 4096;
const formerlyMax = 1024;

const writePlace = ({ words, text }: Writing, { manager, instance }: InstancePlace): void => {
  text.string(manager);
  words.u32(instance);
};
const readPlace = ({ words, text }: Reading): InstancePlace => ({
  manager: entityId(text.string(entityDigits)),
  instance: words.u32(),
});

const place = /* @__PURE__ */ areas(writePlace, readPlace);
const number = /* @__PURE__ */ areas<number>(
  ({ words }, n) => void words.u32(n),
  ({ words }) => words.u32(),
);

/** Returns when what the owner's files have dirty pages of is at their servers. */
export const writeBackFiles: Procedure<EntityId, null> = {
  id: 0x0140,
  name: 'writeBackFiles',
  request: areas(
    ({ text }, owner) => void text.string(owner),
    ({ text }) => entityId(text.string(entityDigits)),
  ),
  reply: noPayload,
};

/** All of the owner's; one that cannot go stays. @param to the other memory server */
export const handOverFiles: Procedure<{ readonly owner: EntityId; readonly to: EntityId }, null> = {
  id: 0x0141,
  name: 'handOverFiles',
  request: areas(
    ({ text }, q) => void text.string(q.owner).string(q.to),
    ({ text }) => ({
      owner: entityId(text.string(entityDigits)),
      to: entityId(text.string(entityDigits)),
    }),
  ),
  reply: noPayload,
};

/** One. The reply is its number there. */
export const handOverFile: Procedure<{ readonly instance: number; readonly to: EntityId }, number> = {
  id: 0x0142,
  name: 'handOverFile',
  request: areas(
    (to, q) => writePlace(to, { manager: q.to, instance: q.instance }),
    (from) => {
      const { manager, instance } = readPlace(from);
      return { instance, to: manager };
    },
  ),
  reply: number,
};

/** The reply is its number here. */
export const takeFile: Procedure<FileHandedOver, number> = {
  id: 0x0143,
  name: 'takeFile',
  request: areas(
    (to, q) => {
      writePlace(to, q);
      to.text.string(q.key).string(q.owner);
      to.words.u32(q.attributes).bool(q.lost).u32(q.formerly.length);
      for (const p of q.formerly) writePlace(to, p);
    },
    (from) => ({
      ...readPlace(from),
      key: from.text.string(keyBytesMax),
      owner: entityId(from.text.string(entityDigits)),
      attributes: from.words.u32(),
      lost: from.words.bool(),
      formerly: Array.from({ length: Math.min(from.words.u32(), formerlyMax) }, () => readPlace(from)),
    }),
  ),
  reply: number,
};

/** The same place when it stays where it is. @throws KernelError `stale`, `peerDown`: it is nowhere */
export const followFile: Procedure<InstancePlace, InstancePlace> = {
  id: 0x0144,
  name: 'followFile',
  request: place,
  reply: place,
};
