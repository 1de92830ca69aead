/**
 * How the common records look on a wire: credentials, file identifiers, attributes, changes, and the outcomes of a name
 * operation. Times are 64-bit nanoseconds; counts and identifiers 32-bit words.
 *
 * A message has two areas: words, which a receiver of the other byte order may swap blindly, and text. So names never
 * stand among the words.
 */
import {
  type AttributeChange,
  type Attributes,
  above,
  type Credentials,
  done,
  type FileId,
  fileTypes,
  type OpenHow,
  type Payload,
  type PayloadCodec,
  pathBytesMax,
  redirect,
  type StoredAttributes,
  staleName,
  type WireAttempt,
} from '@backplane/slots';
import { ByteReader, ByteWriter } from '@backplane/wire';
import { fileKey, fileOfToken } from './file-id.ts';

/** Both areas of a message that is being written. */
export interface Writing {
  readonly words: ByteWriter;
  readonly text: ByteWriter;
}
/** Both areas of a message that somebody else made. */
export interface Reading {
  readonly words: ByteReader;
  readonly text: ByteReader;
}

/** A codec for a message with words and text. What is left over in either area makes it malformed. */
export const message = <T>(
  write: (to: Writing, value: T) => void,
  read: (from: Reading) => T,
): PayloadCodec<T> => ({
  encode(value: T): Payload {
    const to: Writing = { words: new ByteWriter(), text: new ByteWriter() };
    write(to, value);
    return { parameters: to.words.finish(), data: to.text.finish() };
  },
  decode({ parameters, data }: Payload): T | undefined {
    const from: Reading = { words: new ByteReader(parameters), text: new ByteReader(data) };
    const value = read(from);
    return from.words.failed || from.text.failed || from.words.remaining > 0 || from.text.remaining > 0
      ? undefined
      : value;
  },
});

const groupsMax = 16;
/** Links to links make an outcome's name longer than the name that was asked for. */
const outcomeBytesMax = 8 * pathBytesMax;

export const writeNs = (to: ByteWriter, ns: number): ByteWriter => to.number64(ns);
export const readNs = (from: ByteReader): number => from.number64();

export function writeCredentials(to: ByteWriter, who: Credentials): void {
  to.u32(who.uid)
    .u32(who.gid)
    .list(who.groups.slice(0, groupsMax), (w, g) => w.u32(g));
}

export function readCredentials(from: ByteReader): Credentials {
  return { uid: from.u32(), gid: from.u32(), groups: from.list((r) => r.u32(), groupsMax) };
}

export const writeFileId = (to: ByteWriter, f: FileId): ByteWriter =>
  to.u32(f.domain).u32(f.number).u32(f.generation);
export const readFileId = (from: ByteReader): FileId => ({
  domain: from.u32(),
  number: from.u32(),
  generation: from.u32(),
});

/** One bit for each flag, in this order. */
const howFlags = ['read', 'write', 'create', 'exclusive', 'truncate', 'append', 'execute'] as const;

export function writeHow(to: ByteWriter, how: OpenHow): void {
  let flags = 0;
  howFlags.forEach((flag, i) => {
    if (how[flag] === true) flags |= 1 << i;
  });
  to.u32(flags).u32(how.mode ?? 0o666);
}

export function readHow(from: ByteReader): OpenHow {
  const flags = from.u32();
  const how: { -readonly [K in keyof OpenHow]: OpenHow[K] } = { mode: from.u32() };
  howFlags.forEach((flag, i) => {
    if ((flags & (1 << i)) !== 0) how[flag] = true;
  });
  return how;
}

type Basic = Pick<
  StoredAttributes,
  'type' | 'sizeBytes' | 'links' | 'mode' | 'uid' | 'gid' | 'version' | 'modifyNs' | 'changeNs' | 'accessNs'
>;

function writeBasic(to: ByteWriter, a: Basic): void {
  to.u32(fileTypes.indexOf(a.type))
    .number64(a.sizeBytes)
    .u32(a.links)
    .u32(a.mode)
    .u32(a.uid)
    .u32(a.gid)
    .u32(a.version);
  writeNs(writeNs(writeNs(to, a.modifyNs), a.changeNs), a.accessNs);
}

function readBasic(from: ByteReader): Basic {
  const type = fileTypes[from.u32()];
  if (type === undefined) from.fail();
  return {
    type: type ?? 'file',
    sizeBytes: from.number64(),
    links: from.u32(),
    mode: from.u32(),
    uid: from.u32(),
    gid: from.u32(),
    version: from.u32(),
    modifyNs: readNs(from),
    changeNs: readNs(from),
    accessNs: readNs(from),
  };
}

export function writeStored(to: ByteWriter, a: StoredAttributes): void {
  writeBasic(to, a);
  writeNs(to, a.createNs)
    .u32(a.device?.host ?? 0)
    .u32(a.device?.type ?? 0)
    .u32(a.device?.unit ?? 0);
}

export function readStored(from: ByteReader): StoredAttributes {
  const basic = readBasic(from);
  const createNs = readNs(from);
  const device = { host: from.u32(), type: from.u32(), unit: from.u32() };
  return {
    ...basic,
    createNs,
    ...(basic.type === 'device' || basic.type === 'pseudoDevice' ? { device } : {}),
  };
}

/** The identity is the server's host number and its file identifier, and travels as such. */
export function writeAttributes(to: ByteWriter, a: Attributes): void {
  writeBasic(to, a);
  const [server = '', file = ''] = a.identity.split(':');
  to.u32(Number(server));
  writeFileId(to, fileOfToken(file) ?? { domain: 0, number: 0, generation: 0 });
}

export function readAttributes(from: ByteReader): Attributes {
  const basic = readBasic(from);
  const server = from.u32();
  return { ...basic, identity: `${server}:${fileKey(readFileId(from))}` };
}

/** Which of the fields a change has, one bit each; then those. */
const changeFields = [
  'mode',
  'uid',
  'gid',
  'version',
  'modifyNs',
  'changeNs',
  'accessNs',
  'createNs',
] as const;

export function writeChange(to: ByteWriter, c: AttributeChange): void {
  let present = 0;
  changeFields.forEach((field, i) => {
    if (c[field] !== undefined) present |= 1 << i;
  });
  to.u32(present);
  for (const field of changeFields) {
    const value = c[field];
    if (value !== undefined) writeNs(to, value);
  }
}

export function readChange(from: ByteReader): AttributeChange {
  const present = from.u32();
  const change: { -readonly [K in keyof AttributeChange]: AttributeChange[K] } = {};
  changeFields.forEach((field, i) => {
    if ((present & (1 << i)) !== 0) change[field] = readNs(from);
  });
  return change;
}

/** An outcome: a tag, then its content. */
export function writeAttempt<T>(
  to: Writing,
  a: WireAttempt<T>,
  write: (to: Writing, value: T) => void,
): void {
  switch (a.is) {
    case 'done':
      to.words.u32(0);
      write(to, a.value);
      return;
    case 'redirect':
      to.words.u32(1).u32(a.prefixLength);
      to.text.string(a.name);
      return;
    case 'above':
      to.words.u32(2);
      to.text.string(a.rest);
      return;
    case 'stale':
      to.words.u32(3);
  }
}

export function readAttempt<T>(from: Reading, read: (from: Reading) => T): WireAttempt<T> {
  switch (from.words.u32()) {
    case 0:
      return done(read(from));
    case 1:
      return redirect(from.text.string(outcomeBytesMax), from.words.u32());
    case 2:
      return above(from.text.string(outcomeBytesMax));
    case 3:
      return staleName;
    default:
      from.words.fail();
      return staleName;
  }
}
