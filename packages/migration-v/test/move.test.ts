import { Engine, ms, sleep, type Task } from '@backplane/engine';
import { type EntityId, entityId, KernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { type Limits, ProgramMove, type Side } from '../src/move.ts';

const root = entityId('0000000000000001');
const pageBytes = 1024;

/** Two hosts as they look to who moves a program: its pages, who is frozen where, and what was done. */
class Hosts {
  readonly engine = new Engine();
  readonly log: string[] = [];
  readonly frozen = new Set<EntityId>();
  readonly team: EntityId[] = [root, entityId('0000000000000002')];
  readonly pages = { here: new Map<number, number>(), there: new Map<number, number>() };
  readonly departed: EntityId[] = [];
  pageServers: { here: EntityId | null; there: EntityId | null } = { here: null, there: null };
  /** Pages that the program writes in each round of copying. */
  writes: (round: number) => readonly number[] = () => [];
  failAt = '';
  busy = 0;
  #round = 0;
  #stores = 0;
  #written = new Set<number>();

  /** The program stores into these pages. */
  store(numbers: readonly number[]): void {
    for (const n of numbers) {
      this.pages.here.set(n, ++this.#stores);
      this.#written.add(n);
    }
  }

  side(name: 'here' | 'there'): Side {
    const { pages } = this;
    const did = (what: string): void => {
      this.log.push(`${name} ${what}`);
      if (this.failAt === `${name} ${what}`) throw new KernelError('noAnswer', what);
    };
    const hosts = this;
    return {
      *program() {
        return { space: 1, level: 0, name: 'p' };
      },
      *adopt() {
        did('adopt');
      },
      *release() {
        did('release');
      },
      *createSpace() {
        did('createSpace');
        return { space: 2, pageBytes };
      },
      *destroySpace() {
        did('destroySpace');
      },
      *regions() {
        return { pageBytes, regions: [{ first: 0, pages: 100, writable: true, object: null }] };
      },
      *bind() {},
      *written(_, since) {
        const found = since === 0 ? new Set(pages.here.keys()) : hosts.#written;
        hosts.#written = new Set();
        return [...found].sort((a, b) => a - b);
      },
      *read(_, address, count) {
        yield* sleep(ms(1));
        const bytes = new Uint8Array(count);
        const view = new DataView(bytes.buffer);
        for (let at = 0; at < count; at += pageBytes)
          view.setUint32(at, pages.here.get((address + at) / pageBytes) ?? 0);
        if (hosts.frozen.size === 0) hosts.store(hosts.writes(hosts.#round++));
        return bytes;
      },
      *write(_, address, content) {
        did('write');
        const view = new DataView(content.buffer, content.byteOffset);
        for (let at = 0; at < content.length; at += pageBytes)
          pages.there.set((address + at) / pageBytes, view.getUint32(at));
      },
      *pageServer() {
        return hosts.pageServers[name];
      },
      *writeBackFiles() {
        did('writeBackFiles');
      },
      *handOverFiles() {
        did('handOverFiles');
      },
      *team() {
        return hosts.team;
      },
      *processServer() {
        return root;
      },
      *freeze(p) {
        did('freeze');
        hosts.frozen.add(p);
      },
      *unfreeze(p) {
        did('unfreeze');
        hosts.frozen.delete(p);
      },
      *depart(p) {
        if (hosts.busy-- > 0) throw new KernelError('busy');
        did('depart');
        hosts.departed.push(p);
      },
    };
  }

  move(limits: Limits): { readonly moved: Awaited<unknown>; readonly failed: string } {
    const got: { moved?: unknown; failed: string } = { failed: '' };
    const move = new ProgramMove(this.engine, root, this.side('here'), this.side('there'), limits);
    const run = function* (): Task<void> {
      try {
        got.moved = yield* move.run();
      } catch (e) {
        if (!(e instanceof KernelError)) throw e;
        got.failed = e.kind;
      }
    };
    this.engine.root.spawn('move', run());
    this.engine.run();
    return { moved: got.moved, failed: got.failed };
  }
}

const limits = { roundsMax: 5, pagesLeft: 2 };
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('a program that is moved', () => {
  it('is copied while it runs, then frozen for what it has written since', () => {
    const h = new Hosts();
    h.store(range(40));
    h.writes = (round) => (round < 3 ? [1, 5, 9] : round < 6 ? [5] : []);
    const { moved } = h.move(limits);
    expect(moved).toMatchObject({ rounds: 2, pagesFrozen: 1 });
    expect(h.pages.there).toEqual(h.pages.here);
    expect(h.departed).toEqual(h.team);
    expect([...h.frozen]).toEqual([]);
    expect(h.log.slice(-5)).toEqual([
      'there adopt',
      'here release',
      'there unfreeze',
      'there unfreeze',
      'here destroySpace',
    ]);
  });

  it('has its files written back before it stands still and after, and handed over when its processes have gone', () => {
    const h = new Hosts();
    h.pageServers = { here: root, there: entityId('0000000000000003') };
    expect(h.move(limits).failed).toBe('');
    const files = h.log.filter((l) => !l.endsWith('Space') && !l.startsWith('there'));
    const twice = (what: string): readonly string[] => [what, what];
    expect(files).toEqual([
      ...twice('here writeBackFiles'),
      ...twice('here freeze'),
      ...twice('here writeBackFiles'),
      ...twice('here depart'),
      ...twice('here handOverFiles'),
      'here release',
    ]);
  });

  it('keeps its files where they are when nobody there has pages of files', () => {
    const h = new Hosts();
    h.pageServers = { here: root, there: null };
    expect(h.move(limits).failed).toBe('');
    expect(h.log.filter((l) => l.endsWith('Files'))).toEqual([]);
  });

  it('is frozen at once when it writes as fast as it is copied', () => {
    const h = new Hosts();
    h.store(range(40));
    h.writes = () => range(40);
    expect(h.move(limits).moved).toMatchObject({ rounds: 1, pagesBefore: 40, pagesFrozen: 40 });
    expect(h.pages.there).toEqual(h.pages.here);
  });

  it('is frozen for all of it where no rounds are allowed', () => {
    const h = new Hosts();
    h.store(range(40));
    expect(h.move({ roundsMax: 0, pagesLeft: 0 }).moved).toMatchObject({
      rounds: 0,
      pagesBefore: 0,
      pagesFrozen: 40,
    });
    expect(h.pages.there).toEqual(h.pages.here);
  });

  it('waits with a process in the middle of a transfer', () => {
    const h = new Hosts();
    h.busy = 7;
    expect(h.move(limits).failed).toBe('');
    expect(h.departed).toEqual(h.team);
  });

  it.each(['there write', 'here freeze', 'here depart'])(
    'runs on where it was when that fails: %s',
    (failAt) => {
      const h = new Hosts();
      h.store(range(10));
      h.failAt = failAt;
      expect(h.move(limits).failed).toBe('noAnswer');
      expect([...h.frozen]).toEqual([]);
      expect(h.log.at(-1)).toBe('there destroySpace');
      expect(h.log).not.toContain('here destroySpace');
    },
  );
});
