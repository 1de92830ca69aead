import { seconds, type Task } from '@backplane/engine';
import { startOf } from '@backplane/file-service';
import {
  BackplaneError,
  type EntityId,
  type Export,
  entityId,
  type Naming,
  type OpenHow,
  type Server,
} from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { asker, callProcedure, Instance, names, openFile } from '@backplane/uio';
import { TestHost } from '@backplane/uio/testing';
import { describe, expect, it } from 'vitest';
import { type PipeServerOptions, pipeServer } from '../src/index.ts';

const who = { uid: 0, gid: 0, groups: [] };
const toRead: OpenHow = { read: true, create: true };
const toWrite: OpenHow = { write: true, create: true };

class World extends TestHost {
  readonly server: Server;
  readonly exported: Export[] = [];

  constructor(o: PipeServerOptions = {}) {
    super();
    const naming: Pick<Naming, 'export'> = {
      export: (e) => {
        this.exported.push(e);
        return () => {};
      },
    };
    const board = pipeServer({ prefix: '/pipe', ...o });
    // boundary: the chassis grants the same
    this.server = board.create({ ipc: this.ipc, naming, wrapped: new Map() } as never, this.machine);
    this.run(() => board.start?.(this.server) ?? nothing());
  }

  metric(name: string): number {
    return this.machine.metric(name) ?? Number.NaN;
  }

  get #where() {
    const [e] = this.exported;
    if (e === undefined) throw new Error('nothing is exported');
    return { manager: entityId(e.authority), start: startOf(e.root) };
  }

  *open(path: string, how: OpenHow, owner: EntityId = this.process().id): Task<Instance> {
    const { manager, start } = this.#where;
    const q = { start, path, how, who, machineType: 'any', owner };
    const asking = asker(this.process());
    const opened = yield* callProcedure(asking, manager, openFile, q);
    if (opened.is !== 'done') throw new Error(opened.is);
    return yield* Instance.of(asking, manager, opened.value.instance);
  }

  *unlink(path: string): Task<void> {
    const { manager, start } = this.#where;
    const q = { start, path, who, machineType: 'any', argument: {} };
    yield* callProcedure(this.asker(), manager, names.one.unlink, q);
  }
}

function* nothing(): Task<void> {}
const read = (i: Instance, block: number): Task<Uint8Array | null> => i.read({ block, first: 0 });

describe('a pipe with a name', () => {
  it('is under a prefix that the server registers as its own', () => {
    const w = new World();
    expect(w.exported).toEqual([
      { prefix: '/pipe', protocol: 'uio', authority: w.server.process, root: w.exported[0]?.root },
    ]);
  });

  it('is the same for all who open it, and has an instance for each', () => {
    const w = new World();
    w.run(function* () {
      const [first, second, reader] = [
        yield* w.open('p', toWrite),
        yield* w.open('p', toWrite),
        yield* w.open('p', toRead),
      ];
      expect([first.can('writeable'), reader.can('readable'), reader.can('stream')]).toEqual([
        true,
        true,
        true,
      ]);
      yield* first.append(pattern(5, 1));
      yield* first.release();
      yield* second.append(pattern(5, 2));
      yield* second.release();
      expect(yield* read(reader, 0)).toEqual(pattern(5, 1));
      expect(yield* read(reader, 1)).toEqual(pattern(5, 2));
      expect(yield* read(reader, 2)).toBeNull();
    });
    expect([w.metric('pipes.ends'), w.metric('pipes.names')]).toEqual([1, 1]);
  });

  it('keeps its reader waiting until there has been a writer', () => {
    const w = new World();
    const reader = w.run(() => w.open('p', toRead));
    const reading = w.start(() => read(reader, 0));
    w.after(seconds(100));
    expect(reading.ended).toBe(false);
    const writer = w.run(() => w.open('p', toWrite));
    w.run(() => writer.release());
    w.after(seconds(1));
    expect([reading.ended, reading.value]).toEqual([true, null]);
  });

  it('keeps what was written before there was a reader, and no more than it holds', () => {
    const w = new World({ blocks: 2 });
    const writer = w.run(() => w.open('p', toWrite));
    w.run(() => writer.append(pattern(5, 1)));
    w.run(() => writer.append(pattern(5, 2)));
    const writing = w.start(() => writer.append(pattern(5, 3)));
    w.after(seconds(100));
    expect(writing.ended).toBe(false);
    w.run(function* () {
      const reader = yield* w.open('p', toRead);
      expect(yield* read(reader, 0)).toEqual(pattern(5, 1));
      yield* writer.release();
      expect(yield* read(reader, 1)).toEqual(pattern(5, 2));
      expect(yield* read(reader, 2)).toEqual(pattern(5, 3));
      expect(yield* read(reader, 3)).toBeNull();
    });
  });

  it('has what its writer left when the writer is gone before the reader comes', () => {
    const w = new World();
    w.run(function* () {
      const writer = yield* w.open('p', toWrite);
      yield* writer.append(pattern(9, 1));
      yield* writer.release();
      const reader = yield* w.open('p', toRead);
      expect(yield* read(reader, 0)).toEqual(pattern(9, 1));
      expect(yield* read(reader, 1)).toBeNull();
    });
  });

  it('tells writers when the last reader has gone, and begins anew when all have', () => {
    const w = new World();
    w.run(function* () {
      const [writer, reader] = [yield* w.open('p', toWrite), yield* w.open('p', toRead)];
      yield* writer.append(pattern(5, 1));
      yield* reader.release();
      expect(yield* kindOf(writer.append(pattern(5, 2)))).toBe('brokenPipe');
      yield* writer.release();
      const [again, next] = [yield* w.open('p', toWrite), yield* w.open('p', toRead)];
      yield* again.append(pattern(5, 3));
      expect(yield* read(next, 0)).toEqual(pattern(5, 3));
    });
  });

  it('lives on without its name as long as somebody has it open, and then goes', () => {
    const w = new World();
    w.run(function* () {
      const [writer, reader] = [yield* w.open('p', toWrite), yield* w.open('p', toRead)];
      yield* w.unlink('p');
      expect(yield* kindOf(w.open('p', { read: true }))).toBe('notFound');
      const other = yield* w.open('p', toRead);
      yield* writer.append(pattern(5, 1));
      expect(yield* read(reader, 0)).toEqual(pattern(5, 1));
      for (const i of [writer, reader, other]) yield* i.release();
    });
    expect([w.metric('pipes.ends'), w.metric('pipes.names')]).toEqual([0, 1]);
  });

  it('loses the ends of dead owners, as one without a name does', () => {
    const w = new World();
    const owner = w.process();
    const reader = w.run(function* () {
      yield* w.open('p', toWrite, owner.id);
      return yield* w.open('p', toRead);
    });
    const reading = w.start(() => read(reader, 0));
    owner.destroy();
    w.after(seconds(31));
    expect([reading.ended, reading.value]).toEqual([true, null]);
  });
});

describe('a pipe server with a prefix', () => {
  it('needs names to be registered with', () => {
    const host = new TestHost();
    const made = (): Server =>
      pipeServer({ prefix: '/pipe' }).create({ ipc: host.ipc, wrapped: new Map() } as never, host.machine);
    expect(made).toThrowError(BackplaneError);
    expect(made).toThrowError(expect.objectContaining({ code: 'NO_NAMING' }));
  });

  it('still makes pipes without names', () => {
    const w = new World();
    w.run(function* () {
      const into = yield* Instance.create(w.asker(), w.server.process, { mode: 3 });
      const out = yield* Instance.of(w.asker(), w.server.process, into.number + 1);
      yield* into.append(pattern(3, 1));
      expect(yield* read(out, 0)).toEqual(pattern(3, 1));
    });
    expect(w.metric('pipes.names')).toBe(0);
  });
});
