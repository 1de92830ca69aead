/**
 * Slot `storage` (many: `storage:/`, `storage:/src`, ...): the objects of one disk. Everything below this line
 * survives a crash; everything above knows who has it open, and dies.
 *
 * Rules of use. `unlink` and `rename` take names away and free nothing: the server half calls `reclaim` when neither
 * a link nor an open is left; a crash between the two leaves an orphan that `recover` frees. Storage caches
 * through `blockCache` and never knows who is asking: permissions and sharing are decided above. Operations on one
 * directory are serialised by storage; so are the blocks of one file.
 */
import type { Task } from '@backplane/engine';

export interface FileId {
  readonly domain: number;
  readonly number: number;
  /** Differs between two files that had the same number one after the other. */
  readonly generation: number;
}

export type FileType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'remoteLink'
  | 'device'
  | 'namedPipe'
  | 'pseudoDevice';
export const fileTypes: readonly FileType[] = [
  'file',
  'directory',
  'symlink',
  'remoteLink',
  'device',
  'namedPipe',
  'pseudoDevice',
];

export interface StoredAttributes {
  readonly type: FileType;
  readonly sizeBytes: number;
  /** Directory entries that lead here; a directory has 2 and one for each subdirectory. */
  readonly links: number;
  /** Permission bits with set-id and sticky bits, 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Rises when the file is opened for writing; stored, since the cache protocol is wrong after a reboot without it. */
  readonly version: number;
  /** Virtual nanoseconds. Changed content, changed attributes, read, created. */
  readonly modifyNs: number;
  readonly changeNs: number;
  readonly accessNs: number;
  readonly createNs: number;
  /** For a device: the host that has it, and its type and unit there. */
  readonly device?: { readonly host: number; readonly type: number; readonly unit: number };
}

/** What may be set from outside; size is set by `truncate` and by writing, links by the directory operations. */
export type AttributeChange = Partial<Omit<StoredAttributes, 'type' | 'sizeBytes' | 'links' | 'device'>>;

export interface NewFile {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly device?: StoredAttributes['device'];
  /** What a link leads to. Stored as the file's content. */
  readonly target?: string;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly file: FileId;
}

/** `delayed`: in the cache, to be written in its time; `soon`: on its way now; `through`: returns when it is on the medium. */
export type WriteWhen = 'delayed' | 'soon' | 'through';

export interface StorageUsage {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly filesFree: number;
}

/** All operations throw KernelError `stale` when the generation differs, `ioError` when the device fails. */
export interface Storage {
  readonly domain: number;
  readonly root: FileId;
  readonly blockBytes: number;
  readonly fileBytesMax: number;
  attributes(f: FileId): Task<StoredAttributes>;
  setAttributes(f: FileId, change: AttributeChange): Task<void>;
  /** Bytes from `at`, fewer at the end of the file. By reference where they lie in one cached block. */
  read(f: FileId, at: number, count: number): Task<Uint8Array>;
  /** Extends the file as needed; a gap reads as zeros. @throws `noSpace`, `tooLarge` */
  write(f: FileId, at: number, bytes: Uint8Array, when: WriteWhen): Task<void>;
  /** Cuts, or extends with zeros. @throws `noSpace`, `tooLarge` */
  truncate(f: FileId, sizeBytes: number): Task<void>;
  /** The file under a name; undefined if there is none. "." and ".." are entries like others. @throws `notDirectory` */
  lookup(directory: FileId, name: string): Task<FileId | undefined>;
  /** Entries sorted by the bytes of their names, without "." and "..". @throws `notDirectory` */
  entries(directory: FileId): Task<readonly DirectoryEntry[]>;
  /** @throws `exists`, `notDirectory`, `noSpace`, `notFound` (a directory that has been removed) */
  create(directory: FileId, name: string, file: NewFile): Task<FileId>;
  /** @throws `exists`, `noSpace`, `isDirectory` (no second link to a directory), `tooManyLinks`, `notFound` */
  link(directory: FileId, name: string, f: FileId): Task<void>;
  /** `directory: true` removes a directory, which must be empty. @throws `notFound`, `isDirectory`, `notDirectory`, `notEmpty` */
  unlink(
    directory: FileId,
    name: string,
    what: { readonly directory: boolean },
  ): Task<{ readonly file: FileId; readonly linksLeft: number }>;
  /**
   * Atomic: the new name is never missing. Two names of one file: nothing happens. A directory replaces only an empty
   * directory, another object only one that is no directory.
   *
   * @throws `notFound`, `notEmpty`, `isDirectory`, `notDirectory`, `badArgument` (into its own subtree, or "." and "..")
   */
  rename(
    from: FileId,
    oldName: string,
    to: FileId,
    newName: string,
  ): Task<{
    readonly file: FileId;
    readonly replaced?: { readonly file: FileId; readonly linksLeft: number };
  }>;
  /** Frees a file without links. The caller knows that nobody has it open. */
  reclaim(f: FileId): Task<void>;
  /** Returns when everything (of this file, with its attributes) is on the medium. */
  sync(f?: FileId): Task<void>;
  usage(): StorageUsage;
  /** Only a log has these. Makes room now, whether it is short or not: until its policy finds nothing worth cleaning. */
  clean?(): Task<void>;
  /** Brings everything to the medium, and the place from where recovery begins. */
  checkpoint?(): Task<void>;
  /** After a crash, before anything else: makes the structures consistent and frees orphans. */
  recover(): Task<void>;
}
