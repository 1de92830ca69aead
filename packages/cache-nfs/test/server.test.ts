import { Engine, type Task } from '@backplane/engine';
import {
  type FileId,
  type FileProtocol,
  hostId,
  isKernelError,
  KernelError,
  type Naming,
  type Procedure,
  type Storage,
  type StoredAttributes,
  type Streams,
  type Transport,
} from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { nfsCache } from '../src/index.ts';

const root: FileId = { domain: 0, number: 1, generation: 1 };
const file: FileId = { domain: 0, number: 7, generation: 1 };
const someone = { uid: 5, gid: 5, groups: [] };

/** A directory with one file of somebody's, and a record of what was asked of it. */
function storage(mode: number): { readonly board: Storage; readonly log: string[] } {
  const log: string[] = [];
  const attributes = (f: FileId): StoredAttributes => ({
    type: f.number === 1 ? 'directory' : 'file',
    sizeBytes: 3,
    links: 1,
    mode: f.number === 1 ? 0o755 : mode,
    uid: 9,
    gid: 9,
    version: 1,
    modifyNs: 0,
    changeNs: 0,
    accessNs: 0,
    createNs: 0,
  });
  const board = {
    domain: 0,
    root,
    blockBytes: 4096,
    *recover() {
      log.push('recover');
    },
    *attributes(f: FileId) {
      return attributes(f);
    },
    *lookup(_: FileId, name: string) {
      return name === 'f' ? file : undefined;
    },
    *read() {
      return new Uint8Array([1, 2, 3]);
    },
    *write(_f: FileId, _at: number, _bytes: Uint8Array, when: string) {
      log.push(`write ${when}`);
    },
    *truncate() {
      log.push('truncate');
    },
    *create() {
      log.push('create');
      return file;
    },
    *sync(f: FileId) {
      log.push(`sync ${f.number}`);
    },
  };
  return { board: board as unknown as Storage, log };
}

interface Served {
  readonly procedures: readonly Procedure<unknown, unknown>[];
  readonly protocols: readonly string[];
  readonly exported: readonly string[];
  /** Calls a procedure from a host, through its codecs; the kind of error, or what it answers. */
  call(name: string, request: unknown, from?: number): unknown;
}

/** The board over a transport that only takes down what is served. */
function served(storages: ReadonlyMap<string, Storage>): Served {
  const machine = testMachine({ host: 1 });
  const handlers = new Map<
    string,
    readonly [Procedure<unknown, unknown>, (q: unknown, from: unknown) => Task<unknown>]
  >();
  const protocols: string[] = [];
  const exported: string[] = [];
  const undo = (): void => {};
  const granted = {
    transport: {
      maxDataBytes: 16_384,
      serve: (p: Procedure<unknown, unknown>, handler: (q: unknown, from: unknown) => Task<unknown>) => {
        handlers.set(p.name, [p, handler]);
        return undo;
      },
    } as unknown as Transport,
    naming: {
      export(e: { readonly prefix: string }) {
        exported.push(e.prefix);
        return undo;
      },
    } as unknown as Naming,
    streams: {
      protocol(p: FileProtocol) {
        protocols.push(p.protocol);
        return undo;
      },
    } as unknown as Streams,
    blockCache: {},
    storage: storages,
    wrapped: new Map(),
  };
  const board = nfsCache();
  const made = board.create(granted as never, machine);
  const run = (body: Task<unknown>): unknown => {
    const results: unknown[] = [];
    machine.scope.spawn(
      'test',
      (function* (): Task<void> {
        try {
          results.push(yield* body);
        } catch (e) {
          if (!isKernelError(e)) throw e;
          results.push(e.kind);
        }
      })(),
    );
    machine.engine.run();
    return results[0];
  };
  const start = board.start?.(made);
  if (start !== undefined) run(start);
  return {
    procedures: [...handlers.values()].map(([p]) => p),
    protocols,
    exported,
    call(name, request, from = 2) {
      const [procedure, handler] = handlers.get(name) ?? [];
      if (procedure === undefined || handler === undefined) throw new Error(`${name} is not served`);
      const decoded = procedure.request.decode(procedure.request.encode(request));
      return run(handler(decoded, { host: hostId(from), bootId: 1 }));
    },
  };
}

const withFile = (mode: number): { readonly server: Served; readonly log: string[] } => {
  const { board, log } = storage(mode);
  const server = served(new Map([['storage', board]]));
  log.length = 0;
  return { server, log };
};
const put = { record: { file, at: 0, who: someone }, data: new Uint8Array(3) };

describe('an NFS server', () => {
  it('serves nothing where there is no storage', () => {
    const { procedures, protocols, exported } = served(new Map());
    expect([procedures, protocols, exported]).toEqual([[], ['nfs'], []]);
  });

  it('makes its storages whole before it exports them', () => {
    const { board, log } = storage(0o644);
    expect(served(new Map([['/src', board]])).exported).toEqual(['/src']);
    expect(log).toEqual(['recover']);
  });

  it('has what was written, and the file’s attributes, on the medium before it answers', () => {
    const { server, log } = withFile(0o666);
    expect(server.call('write', put)).toMatchObject({ sizeBytes: 3 });
    expect(server.call('setsize', { file, sizeBytes: 9, who: someone })).toMatchObject({ type: 'file' });
    expect(log).toEqual(['write through', 'sync 7', 'truncate', 'sync 7']);
  });

  it('has a new file on the medium before the directory that names it', () => {
    const { server, log } = withFile(0o666);
    const who = { uid: 0, gid: 0, groups: [] };
    server.call('create', { file: root, name: 'g', mode: 0o644, exclusive: false, who });
    expect(log).toEqual(['create', 'sync 7', 'sync 1']);
  });

  it('opens a file that another client has made since it was looked up, unless it is to be new', () => {
    const who = { uid: 0, gid: 0, groups: [] };
    for (const [exclusive, outcome] of [
      [false, 7],
      [true, 'exists'],
    ] as const) {
      const { board } = storage(0o666);
      let made = false;
      const raced: Storage = Object.assign(Object.create(board) as Storage, {
        *lookup() {
          return made ? file : undefined;
        },
        *create() {
          made = true;
          throw new KernelError('exists', 'g');
        },
      });
      const server = served(new Map([['storage', raced]]));
      const answer = server.call('create', { file: root, name: 'g', mode: 0o644, exclusive, who });
      expect(typeof answer === 'string' ? answer : (answer as { file: FileId }).file.number).toBe(outcome);
    }
  });

  it('delays what its own programs write', () => {
    const { server, log } = withFile(0o666);
    server.call('write', put, 1);
    expect(log).toEqual(['write delayed']);
  });

  it('checks permission in each call, but lets who may execute read, and the owner do both', () => {
    const { server } = withFile(0o100);
    const get = (uid: number): unknown =>
      server.call('read', { file, at: 0, count: 3, who: { ...someone, uid } });
    expect(get(5)).toBe('permission');
    expect(get(9)).toMatchObject({ data: new Uint8Array([1, 2, 3]) });
    expect(server.call('write', put)).toBe('permission');
    expect(withFile(0o101).server.call('read', { file, at: 0, count: 3, who: someone })).toMatchObject({
      data: new Uint8Array([1, 2, 3]),
    });
  });

  it('looks up one name in one directory, and refuses what it does not know', () => {
    const { server } = withFile(0o644);
    expect(server.call('lookup', { file: root, name: 'f', who: someone })).toMatchObject({ file });
    expect(server.call('lookup', { file: root, name: 'g', who: someone })).toBe('notFound');
    expect(server.call('lookup', { file, name: 'g', who: someone })).toBe('notDirectory');
    expect(server.call('getattr', { ...file, domain: 3 })).toBe('stale');
    expect(server.call('read', { file: root, at: 0, count: 3, who: someone })).toBe('isDirectory');
  });

  it('has a number of its own for each procedure, from 64 to 95', () => {
    const ids = withFile(0o644).server.procedures.map((p) => p.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([Math.min(...ids), Math.max(...ids) <= 95]).toEqual([64, true]);
  });

  it('never throws on bytes that somebody else made', () => {
    const random = new Engine({ seed: 9 }).random('fuzz');
    const bytes = (n: number): Uint8Array => new Uint8Array(n).map(() => random.below(256));
    let decoded = 0;
    for (const p of withFile(0o644).server.procedures) {
      for (let i = 0; i < 200; i++) {
        const payload = { parameters: bytes(random.below(100)), data: bytes(random.below(50)) };
        for (const codec of [p.request, p.reply]) if (codec.decode(payload) !== undefined) decoded++;
      }
    }
    expect(decoded).toBeLessThan(1000);
  });
});

describe('the options of NFS', () => {
  it('refuse a transfer that is no whole number of blocks', () => {
    expect(() => nfsCache({ transferBytes: 5000 })).toThrowError(
      expect.objectContaining({ code: 'WRONG_OPTION' }),
    );
  });
});
