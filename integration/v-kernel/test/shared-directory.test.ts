/** Programs that list a directory which two file servers share. */
import { Cluster } from '@backplane/chassis';
import { seconds, sleep, type Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { ethernet, lossRule } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { type VNamingOptions, vNaming } from '@backplane/naming-v';
import type { Calls } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { vFileServer, vWorkstation } from '@backplane/v';
import { describe, expect, it } from 'vitest';

const early = { '/home': { below: 'm' } };
const late = { '/home': { from: 'm' } };
const users = ['ann', 'bob', 'mary', 'zoe'];

class Homes {
  readonly cluster: Cluster;

  /** @param directory whether the file servers hold replicas of the directory of names */
  constructor({ loss = 0, directory = true } = {}) {
    const server = (name: string, prefix: string, o: VNamingOptions) => {
      const kernel = vFileServer([prefix]).with({
        naming: vNaming({ directory, ...o }),
        storage: { [prefix]: memoryStorage() },
      });
      return { name, type: zeroCost, role: name, kernel };
    };
    this.cluster = new Cluster({
      medium: ethernet(),
      machines: [
        server('allspice', '/', {}),
        server('early', '/home', { shares: early }),
        server('late', '/home', { shares: late }),
        { name: 'mace', type: zeroCost, role: 'client', kernel: vWorkstation() },
      ],
    });
    const { engine, medium } = this.cluster;
    if (loss > 0) medium.addRule(lossRule(engine, engine.random('loss'), { probability: loss }));
  }

  /** Runs a program on mace, after it has made the homes. */
  run<T>(body: (sys: Calls, homes: this) => Task<T>): T {
    const { cluster } = this;
    const got: T[] = [];
    const all = (homes: this) =>
      (function* (): Task<void> {
        yield* cluster.bootAll();
        yield* sleep(seconds(70)); // replicas are sure of what there is
        yield* cluster
          .machine('mace')
          .board('systemCalls')
          .start('lister', function* (sys) {
            for (const user of users.toReversed()) yield* sys.mkdir(`/home/${user}`, 0o755);
            got.push(yield* body(sys, homes));
            return 0;
          })
          .join();
      })();
    cluster.drive('test', all(this));
    return got[0] as T; // boundary: the program has ended
  }

  get nowSeconds(): number {
    return this.cluster.engine.nowNs / 1e9;
  }

  *reboot(name: string): Task<void> {
    const machine = this.cluster.machine(name);
    machine.boot();
    yield* machine.running();
  }
}

describe.each([
  ['on a wire that loses nothing', 0],
  ['on a wire that loses every tenth frame', 0.1],
])('the listing of a shared directory, %s', (_, loss) => {
  it('has the names of every server, in their order', () => {
    const listed = new Homes({ loss }).run(function* (sys) {
      const first = yield* sys.entries('/home');
      yield* sys.chdir('/home');
      return [first, yield* sys.entries('.'), yield* sys.entries('ann')];
    });
    expect(listed).toEqual([users, users, []]);
  });
});

describe('the listing of a shared directory', () => {
  it('needs no replica of the directory as long as every server answers', () => {
    expect(new Homes({ directory: false }).run((sys) => sys.entries('/home'))).toEqual(users);
  });

  it('fails when one of its servers is down, rather than to look like all there is', () => {
    const seen = new Homes().run(function* (sys, homes) {
      yield* sys.entries('/home');
      homes.cluster.machine('late').crash();
      const fromSeconds = homes.nowSeconds;
      const kind = yield* kindOf(sys.entries('/home'));
      const waited = homes.nowSeconds - fromSeconds;
      // What the others have is still there by name.
      return { kind, patient: waited >= 60, ann: (yield* sys.stat('/home/ann')).type };
    });
    expect(seen).toEqual({ kind: 'noAnswer', patient: true, ann: 'directory' });
  });

  it('fails at once where no directory knows that there is a server which is down', () => {
    const seen = new Homes({ directory: false }).run(function* (sys, homes) {
      homes.cluster.machine('late').crash();
      const fromSeconds = homes.nowSeconds;
      return [yield* kindOf(sys.entries('/home')), homes.nowSeconds - fromSeconds < 20];
    });
    expect(seen).toEqual(['noAnswer', true]);
  });

  it('waits for a server that reboots', () => {
    const listed = new Homes().run(function* (sys, homes) {
      homes.cluster.machine('late').crash();
      homes.cluster.scope.spawn(
        'reboot',
        (function* (): Task<void> {
          yield* sleep(seconds(20));
          yield* homes.reboot('late');
        })(),
      );
      return yield* sys.entries('/home');
    });
    // What was in its memory is lost; that it is there and has nothing is an answer.
    expect(listed).toEqual(['ann', 'bob']);
  });

  it('leaves out what a server has beyond its range: nobody finds it there by name', () => {
    const listed = new Homes().run(function* (sys, homes) {
      const storage = homes.cluster.machine('early').board('storage', 'storage:/home');
      yield* storage.create(storage.root, 'zed', { type: 'file', mode: 0o644, uid: 0, gid: 0 });
      return [yield* sys.entries('/home'), yield* kindOf(sys.stat('/home/zed'))];
    });
    expect(listed).toEqual([users, 'notFound']);
  });
});
