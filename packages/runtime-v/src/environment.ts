/**
 * What a program finds in its memory when it starts: who it is, where it stands, and what is open for it. Its parent writes
 * it there, by message; nothing else of the parent is known to it.
 */
import {
  readCredentials,
  readFileId,
  readHow,
  readNs,
  writeCredentials,
  writeFileId,
  writeHow,
  writeNs,
} from '@backplane/file-service';
import {
  type Credentials,
  type EntityId,
  entityId,
  type FileId,
  KernelError,
  type OpenHow,
  pathBytesMax,
} from '@backplane/slots';
import { ByteReader, ByteWriter } from '@backplane/wire';

/** An open object that the program begins with. */
export interface Inherited {
  readonly fd: number;
  readonly kind: 'file' | 'pipe';
  readonly manager: EntityId;
  readonly instance: number;
  readonly how: OpenHow;
  /** Where the parent stood: from here on each goes its own way. */
  readonly offset: number;
  /** Of a file: under which it is found again, and as what. */
  readonly prefix: string;
  readonly file: FileId;
}

export interface Environment {
  readonly name: string;
  readonly workingDirectory: string;
  readonly umask: number;
  readonly who: Credentials;
  readonly open: readonly Inherited[];
}

const nameBytesMax = 255;
const openMax = 4096;
const entityDigits = 16;

export function encodeEnvironment(e: Environment): Uint8Array {
  const to = new ByteWriter().string(e.name).string(e.workingDirectory).u32(e.umask);
  writeCredentials(to, e.who);
  to.list(e.open, (w, o) => {
    w.u32(o.fd)
      .bool(o.kind === 'pipe')
      .string(o.manager)
      .u32(o.instance)
      .string(o.prefix);
    writeHow(w, o.how);
    writeNs(w, o.offset);
    writeFileId(w, o.file);
  });
  return to.finish();
}

/** @throws KernelError `badArgument` */
export function decodeEnvironment(bytes: Uint8Array): Environment {
  const from = new ByteReader(bytes);
  const environment: Environment = {
    name: from.string(nameBytesMax),
    workingDirectory: from.string(pathBytesMax),
    umask: from.u32(),
    who: readCredentials(from),
    open: from.list(
      (r) => ({
        fd: r.u32(),
        kind: r.bool() ? 'pipe' : 'file',
        manager: entityId(r.string(entityDigits)),
        instance: r.u32(),
        prefix: r.string(pathBytesMax),
        how: readHow(r),
        offset: readNs(r),
        file: readFileId(r),
      }),
      openMax,
    ),
  };
  if (from.failed) throw new KernelError('badArgument', 'an environment');
  return environment;
}
