import { Cluster } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { ethernet, lossRule } from '@backplane/hw-ethernet';
import { sun3x75 } from '@backplane/hw-machines';
import type { NameView, Streams } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { vFileServer, vWorkstation } from '@backplane/v';
import { describe, expect, it } from 'vitest';

const who = { uid: 0, gid: 0, groups: [] };
const how = { write: true, create: true, mode: 0o644 };

/** A file server with two domains, and programs on a workstation. */
class Files {
  readonly cluster: Cluster;

  constructor(loss: number) {
    const machine = (name: string, kernel: ReturnType<typeof vWorkstation>) =>
      ({ name, type: sun3x75, role: name, kernel }) as const;
    this.cluster = new Cluster({
      medium: ethernet(),
      machines: [machine('server', vFileServer(['/', '/src'])), machine('client', vWorkstation())],
    });
    const { engine, medium } = this.cluster;
    if (loss > 0) medium.addRule(lossRule(engine, engine.random('loss'), { probability: loss }));
  }

  get streams(): Streams {
    return this.cluster.machine('client').board('streams');
  }

  view(): NameView {
    return this.cluster.machine('client').board('naming').view();
  }

  /** After /src/d/f has been made, on the client. */
  run(body: (f: this, view: NameView) => Task<void>): void {
    const { cluster } = this;
    const all = (f: this) =>
      (function* (): Task<void> {
        yield* cluster.bootAll();
        const view = f.view();
        yield* f.on(function* () {
          yield* f.streams.name(view, '/src/d', 'makeDirectory', { mode: 0o755 }, who);
          yield* f.make(view, '/src/d/f');
        });
        yield* body(f, view);
      })();
    cluster.drive('test', all(this));
  }

  /** On a thread of the client. */
  *on<T>(body: () => Task<T>): Task<T> {
    return yield* this.cluster.machine('client').scope.spawn('test', body()).join();
  }

  *make(view: NameView, name: string): Task<void> {
    const stream = yield* this.streams.open(view, name, how, who);
    yield* this.streams.close(stream);
  }

  *chdir(view: NameView, name: string): Task<void> {
    yield* this.streams.chdir(view, name, who);
  }

  *kind(view: NameView, name: string): Task<string> {
    return yield* kindOf(this.streams.name(view, name, 'stat', { follow: true }, who));
  }

  *reboot(): Task<void> {
    const server = this.cluster.machine('server');
    server.crash();
    server.boot();
    yield* server.running();
  }

  get lookups(): number {
    return this.cluster.machine('client').metrics().toRecord()['naming.lookups'] ?? 0;
  }
}

describe.each([
  ['on a wire that loses nothing', 0],
  ['on a wire that loses every tenth frame', 0.1],
])('the context of a working directory, %s', (_, loss) => {
  it('is where relative names go, without a lookup', () => {
    new Files(loss).run(function* (f, view) {
      yield* f.on(() => f.chdir(view, '/src/d'));
      const before = f.lookups;
      expect(yield* f.on(() => f.kind(view, 'f'))).toBe('ok');
      expect(yield* f.on(() => f.kind(view, 'g'))).toBe('notFound');
      expect(f.lookups).toBe(before);
      expect(yield* f.on(() => f.kind(view, '../../src/d/f'))).toBe('ok');
    });
  });

  it('is found again by its name when its manager has rebooted, by the program and by its children', () => {
    new Files(loss).run(function* (f, view) {
      yield* f.on(() => f.chdir(view, '/src'));
      yield* f.on(() => f.chdir(view, 'd'));
      const child = view.inherit();
      for (let life = 0; life < 2; life++) {
        yield* f.reboot();
        expect(yield* f.on(() => f.kind(view, 'f'))).toBe('ok');
        expect(yield* f.on(() => f.kind(child, 'f'))).toBe('ok');
        expect([view.workingDirectory, child.workingDirectory]).toEqual(['/src/d', '/src/d']);
      }
      const before = f.lookups;
      expect(yield* f.on(() => f.kind(view, 'f'))).toBe('ok');
      expect(f.lookups).toBe(before);
    });
  });

  it('is found again by many threads at once', () => {
    new Files(loss).run(function* (f, view) {
      yield* f.on(() => f.chdir(view, '/src/d'));
      yield* f.reboot();
      const { scope } = f.cluster.machine('client');
      const threads = Array.from({ length: 5 }, (_, n) => scope.spawn(`program ${n}`, f.kind(view, 'f')));
      for (const t of threads) expect(yield* t.join()).toBe('ok');
    });
  });

  it('is that of the directory which has the name now', () => {
    new Files(loss).run(function* (f, view) {
      yield* f.on(() => f.chdir(view, '/src/d'));
      const other = f.view();
      yield* f.on(function* () {
        yield* f.streams.name(other, '/src/d/f', 'unlink', {}, who);
        yield* f.streams.name(other, '/src/d', 'removeDirectory', {}, who);
      });
      expect(yield* f.on(() => f.kind(view, 'f'))).toBe('notFound');
      yield* f.on(function* () {
        yield* f.streams.name(other, '/src/d', 'makeDirectory', { mode: 0o755 }, who);
        yield* f.make(other, '/src/d/g');
      });
      expect(yield* f.on(() => f.kind(view, 'g'))).toBe('ok');
    });
  });

  it('is renamed with its directory as long as its manager lives', () => {
    new Files(loss).run(function* (f, view) {
      yield* f.on(() => f.chdir(view, '/src/d'));
      yield* f.on(() => f.streams.nameTwo(f.view(), 'rename', '/src/d', '/src/e', who));
      expect(yield* f.on(() => f.kind(view, 'f'))).toBe('ok');
    });
  });
});
