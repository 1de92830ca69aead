/**
 * Operations on names while their server crashes: at whatever moment that is, a program that waits for it sees each of them
 * done once. The names are on the disk before an operation returns.
 */
import { nfsCache } from '@backplane/cache-nfs';
import { noCache } from '@backplane/cache-none';
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { seconds, sleep, type Task } from '@backplane/engine';
import { lfsStorage } from '@backplane/fs-lfs';
import { ethernet } from '@backplane/hw-ethernet';
import { sun3x75, sun3x180 } from '@backplane/hw-machines';
import { spriteRpc } from '@backplane/rpc-sprite';
import type { Calls, Kernel } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';
import { vFileServer, vWorkstation } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { get, put } from './world.ts';

const rounds = 3;

/** Every operation that changes names, and some that the one before makes possible. */
function* changes(sys: Calls): Task<void> {
  for (let i = 0; i < rounds; i++) {
    yield* sys.mkdir(`/d${i}`, 0o755);
    yield* put(sys, `/d${i}/file`, `of round ${i}`);
    yield* sys.symlink(`file`, `/d${i}/short`);
    yield* sys.link(`/d${i}/file`, `/kept${i}`);
    yield* put(sys, '/replaced', 'older');
    yield* sys.rename(`/d${i}/file`, '/replaced');
    yield* sys.unlink(`/d${i}/short`);
    yield* sys.rmdir(`/d${i}`);
  }
}

/** @param bytes of files, too */
function* leftBehind(sys: Calls, bytes: boolean): Task<readonly string[]> {
  const found: string[] = [];
  for (const name of yield* sys.entries('/')) {
    if (name.startsWith('.')) continue;
    const { type } = yield* sys.stat(`/${name}`, { follow: false });
    found.push(`${name}: ${type === 'file' && bytes ? yield* get(sys, `/${name}`) : type}`);
  }
  return found;
}

/** With what it fails, if it does. */
function* changed(sys: Calls): Task<readonly string[]> {
  try {
    yield* changes(sys);
    return [];
  } catch (e) {
    return [String(e)];
  }
}

/** Kernels of a workstation and of its file server. */
type Pair = readonly [client: Kernel, server: Kernel];

const sprite: Pair = [spriteClient(), spriteServer()];
const v: Pair = [vWorkstation(), vFileServer()];
const storage = { '/': lfsStorage({ metadata: 'synchronous' }) };
const onAll = ([client, server]: Pair, change: (k: Kernel) => Kernel): Pair => [
  change(client),
  change(server),
];

const pairs: readonly (readonly [name: string, kernels: Pair, keepsBytes: boolean])[] = [
  ['Sprite', sprite, true],
  ['Sprite on a log', [sprite[0], sprite[1].with({ storage })], true],
  ['Sprite with NFS', onAll(sprite, (k) => k.with({ fileCache: nfsCache() })), true],
  // A server keeps for a while what is written to it from elsewhere, and loses that.
  ['Sprite without caches', onAll(sprite, (k) => k.with({ fileCache: noCache() })), false],
  ['V', v, true],
  ['V over Sprite RPC', onAll(v, (k) => k.with({ transport: spriteRpc() })), true],
];

describe.each(pairs)('on %s, programs', (_, [client, server], keepsBytes) => {
  const left = (sys: Calls): Task<readonly string[]> => leftBehind(sys, keepsBytes);

  /** What is left, and how long it took. */
  const run = (
    during: (server: ClusterMachine) => Task<void>,
  ): { readonly ns: number; readonly left: string } => {
    const cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          { name: 'allspice', type: sun3x180, role: 'server', kernel: server },
          { name: 'mace', type: sun3x75, role: 'client', kernel: client },
        ],
      },
      { seed: 1 },
    );
    return cluster.drive(
      'test',
      (function* () {
        yield* cluster.bootAll();
        const startNs = cluster.engine.nowNs;
        const said: string[] = [];
        const start = (program: (sys: Calls) => Task<readonly string[]>) =>
          cluster
            .machine('mace')
            .board('systemCalls')
            .start('program', function* (sys) {
              said.push(...(yield* program(sys)));
              return 0;
            });
        const changing = start(changed);
        yield* during(cluster.machine('allspice'));
        yield* changing.join();
        const ns = cluster.engine.nowNs - startNs;
        yield* start(left).join();
        return { ns, left: said.join('\n') };
      })(),
    );
  };

  const quiet = run(function* () {});

  it.each([
    ['a crash', 5, 40],
    ['a reboot', 0, 20],
  ])('go on over %s at any moment as if there had been none', (_, downSeconds, moments) => {
    const outcomes = new Set<string>();
    for (let i = 0; i < moments; i++) {
      const { left } = run(function* (machine) {
        yield* sleep(Math.round((quiet.ns * (i + 0.5)) / moments));
        machine.crash();
        yield* sleep(seconds(downSeconds));
        machine.boot();
      });
      outcomes.add(left);
    }
    expect([...outcomes]).toEqual([quiet.left]);
  });
});
