/** A file protocol and a kind of object for checks: files in memory that note what they are asked, and can have nothing for a while. */
import type { Task } from '@backplane/engine';
import {
  type Attempt,
  type Attributes,
  authority,
  type Credentials,
  done,
  type Elsewhere,
  type FileProtocol,
  KernelError,
  type LockMode,
  type NameOps,
  type NameTarget,
  type ObjectKind,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Position,
  type Ready,
  type SecondAttempt,
  type StreamId,
  type Streams,
  type Traits,
  type TwoNameOp,
  token,
  type Waiter,
} from '@backplane/slots';

/** What all opens of one file have in common. */
export class FileInMemory {
  bytes: Uint8Array = new Uint8Array(0);
  /** It has nothing to read and takes nothing; who asks is left waiting. */
  blocked = false;
  /** At most so many bytes are taken by one write. */
  takesBytes: number = Number.POSITIVE_INFINITY;
  /** After a write it takes no more. */
  fillsUp = false;
  waiters: Waiter[] = [];
  lockedBy: StreamId | null = null;
  opens = 0;
  closes = 0;
  attempts = 0;

  unblock(streams: Streams): void {
    this.blocked = false;
    for (const w of this.waiters.splice(0)) streams.wake(w);
  }
}

class OpenInMemory implements OpenObject {
  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits;
  readonly #file: FileInMemory;
  readonly #wake: (w: Waiter) => void;

  constructor(
    file: FileInMemory,
    protocol: string,
    how: OpenHow,
    wake: (w: Waiter) => void,
    seekable = true,
  ) {
    this.ref = { kind: 'file', protocol, authority: authority('check'), id: 1 };
    this.how = how;
    this.traits = { blockBytes: 4096, seekable, sharedOffset: false, afterCrash: 'lost' };
    this.#file = file;
    this.#wake = wake;
    file.opens++;
  }

  *read(
    p: Position,
    count: number,
    waiter: Waiter,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number }> {
    this.#unblocked(waiter);
    const at = this.#offset(p);
    const bytes = this.#file.bytes.slice(at, at + count);
    return { bytes, next: at + bytes.length };
  }

  *write(
    p: Position,
    bytes: Uint8Array,
    waiter: Waiter,
  ): Task<{ readonly count: number; readonly next: number }> {
    this.#unblocked(waiter);
    const at = this.#offset(p);
    const count = Math.min(bytes.length, this.#file.takesBytes);
    const grown = new Uint8Array(Math.max(this.#file.bytes.length, at + count));
    grown.set(this.#file.bytes);
    grown.set(bytes.subarray(0, count), at);
    this.#file.bytes = grown;
    if (this.#file.fillsUp) this.#file.blocked = true;
    return { count, next: at + count };
  }

  *attributes(): Task<Attributes> {
    const { length: sizeBytes } = this.#file.bytes;
    const times = { modifyNs: 0, changeNs: 0, accessNs: 0 };
    return {
      type: 'file',
      sizeBytes,
      links: 1,
      mode: 0o644,
      uid: 0,
      gid: 0,
      version: 1,
      identity: 'check',
      ...times,
    };
  }

  *setAttributes(): Task<void> {}
  *truncate(): Task<void> {}
  *sync(): Task<void> {}

  *lock(mode: LockMode, owner: StreamId, waiter: Waiter): Task<void> {
    if (mode === 'none') {
      this.#file.lockedBy = null;
      for (const w of this.#file.waiters.splice(0)) this.#wake(w);
    } else if (this.#file.lockedBy === null || this.#file.lockedBy === owner) this.#file.lockedBy = owner;
    else this.#wouldBlock(waiter);
  }

  *poll(waiter: Waiter): Task<Ready> {
    if (this.#file.blocked) this.#file.waiters.push(waiter);
    return { read: !this.#file.blocked, write: !this.#file.blocked, exception: false };
  }

  *close(): Task<void> {
    this.#file.closes++;
  }

  #offset(p: Position): number {
    if (typeof p === 'number') return p;
    if (p === 'end') return this.#file.bytes.length;
    throw new KernelError('unsupported');
  }

  #unblocked(waiter: Waiter): void {
    this.#file.attempts++;
    if (this.#file.blocked) this.#wouldBlock(waiter);
  }

  #wouldBlock(waiter: Waiter): never {
    this.#file.waiters.push(waiter);
    throw new KernelError('wouldBlock');
  }
}

/** Names are the remainders of targets. What it is asked is noted. */
export class FilesInMemory implements FileProtocol {
  readonly protocol: string;
  readonly files: Map<string, FileInMemory> = new Map();
  /** Names behind which there is an object of another kind. */
  readonly elsewhere: Map<string, Elsewhere> = new Map();
  readonly asked: string[] = [];
  synced = 0;
  readonly #wake: (w: Waiter) => void;

  constructor(protocol: string, wake: (w: Waiter) => void) {
    this.protocol = protocol;
    this.#wake = wake;
  }

  file(name: string): FileInMemory {
    const file = this.files.get(name) ?? new FileInMemory();
    this.files.set(name, file);
    return file;
  }

  *open(t: NameTarget, how: OpenHow, who: Credentials): Task<Attempt<OpenObject | Elsewhere>> {
    this.asked.push(`open ${t.prefix} ${t.remainder} ${JSON.stringify(how)} ${who.uid}`);
    const elsewhere = this.elsewhere.get(t.remainder);
    if (elsewhere !== undefined) return done(elsewhere);
    const file = this.files.get(t.remainder);
    if (file === undefined) throw new KernelError('notFound', t.remainder);
    return done(new OpenInMemory(file, this.protocol, how, this.#wake));
  }

  *name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    this.asked.push(`${op} ${t.prefix} ${t.remainder} ${JSON.stringify(argument)} ${who.uid}`);
    if (t.remainder === 'refused') throw new KernelError('permission');
    // The operations of these checks bring nothing or a token, which is a text.
    return done((op === 'enter' ? token(`in ${t.remainder}`) : null) as NameOps[K]['out']);
  }

  *nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    this.asked.push(`${op} ${a.prefix} ${a.remainder} ${b.prefix} ${b.remainder} ${who.uid}`);
    return done(null);
  }

  *sync(): Task<void> {
    this.synced++;
  }
}

/** A kind of object that is opened by what another protocol says, and has pairs if it is told to. */
export class KindInMemory implements ObjectKind {
  readonly kind: string;
  readonly file: FileInMemory = new FileInMemory();
  readonly opened: string[] = [];
  failing: KernelError | null = null;
  readonly pair?: () => { readonly read: OpenObject; readonly write: OpenObject };

  constructor(kind: string, o: { readonly pairs: boolean }) {
    this.kind = kind;
    const end = (how: OpenHow): OpenObject => new OpenInMemory(this.file, kind, how, () => {}, false);
    if (o.pairs) this.pair = () => ({ read: end({ read: true }), write: end({ write: true }) });
  }

  *open(e: Elsewhere, how: OpenHow, who: Credentials): Task<OpenObject> {
    this.opened.push(`${JSON.stringify(e.elsewhere.id)} ${JSON.stringify(how)} ${who.uid}`);
    if (this.failing !== null) throw this.failing;
    return new OpenInMemory(this.file, this.kind, how, () => {}, false);
  }
}
