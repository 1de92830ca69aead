/** The contract of the slot `recovery`, clause by clause. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import {
  type HostId,
  KernelError,
  type KernelSpec,
  type Recovery,
  type RecoveryPass,
} from '@backplane/slots';
import { type Check, holds, same, within } from '../check.ts';
import { calling } from '../neighbours.ts';
import { Rig } from '../rig.ts';

export interface RecoveryUnderTest {
  /** The recovery, and what it needs besides a transport. It must not give a server up. */
  readonly boards: KernelSpec;
  /** The same, but it gives a server up after so many seconds. Without it that is not tried. */
  readonly impatient?: { readonly boards: KernelSpec; readonly seconds: number };
  /** How long after a server's reboot all may take, in seconds. Default 120. */
  readonly noticeSeconds?: number;
}

type HostName = 'server' | 'one' | 'two';

class World {
  readonly rig: Rig;
  readonly log: string[] = [];

  constructor(boards: KernelSpec) {
    const kernel = calling().with(boards);
    this.rig = new Rig({ server: kernel, one: kernel, two: kernel });
  }

  recovery(host: HostName): Recovery {
    return this.rig.board(host, 'recovery');
  }

  get server(): HostId {
    return this.rig.machine('server').host;
  }

  /** Notes that the pass began and ended. */
  register(host: HostName, pass: RecoveryPass, name: string = pass, body?: () => Task<void>): () => void {
    const { log } = this;
    return this.recovery(host).register({
      name,
      pass,
      *reopen(server) {
        log.push(`${name} of host ${server}`);
        if (body !== undefined) yield* body();
        else yield* sleep(ms(10));
        log.push(`${name} ended`);
      },
    });
  }

  /** Has spoken with the server and watches it, as who holds state there does. */
  watch(host: HostName): void {
    const { peers } = this.rig.board(host, 'transport');
    this.rig.on(host, () => peers.awaitAlive(this.server));
    peers.watch(this.server);
  }

  *awaiting(host: HostName): Task<string> {
    return yield* this.recovery(host).await(this.server);
  }
}

const both = (name: string, server: number): string[] => [`${name} of host ${server}`, `${name} ended`];

export function conformsToRecovery({
  boards,
  impatient,
  noticeSeconds = 120,
}: RecoveryUnderTest): readonly Check[] {
  const checks: Check[] = [
    {
      name: 'after a reboot of a watched server the passes run in their order, one after the other, whoever registered first',
      run: () => {
        const w = new World(boards);
        for (const pass of ['wake', 'handles', 'streams', 'prefixes'] as const) w.register('one', pass);
        w.watch('one');
        w.rig.crash('server');
        w.rig.after(seconds(5));
        same('while it is down', w.log, []);
        w.rig.boot('server');
        w.rig.after(seconds(noticeSeconds));
        same(
          'passes',
          w.log,
          ['prefixes', 'handles', 'streams', 'wake'].flatMap((p) => both(p, w.server)),
        );
      },
    },
    {
      name: 'within a pass each registration is run; one that was taken back is not, and taking it back again does nothing',
      run: () => {
        const w = new World(boards);
        w.register('one', 'handles', 'a');
        const undo = w.register('one', 'handles', 'b');
        const board = { name: 'c', pass: 'handles' as const, reopen: notes(w, 'c') };
        const first = w.recovery('one').register(board);
        w.recovery('one').register(board);
        undo();
        first();
        first();
        w.watch('one');
        w.rig.reboot('server');
        w.rig.after(seconds(noticeSeconds));
        same('passes', w.log, [...both('a', w.server), 'c']);
      },
    },
    {
      name: 'await returns retry when the server is back and reopening is done, to all who wait, after one reopening',
      run: () => {
        const w = new World(boards);
        w.watch('one');
        w.register('one', 'handles');
        w.rig.crash('server');
        const threads = Array.from({ length: 4 }, () => w.rig.spawn('one', noted(w, w.awaiting('one'))));
        w.rig.after(seconds(40));
        same('while it is down', w.log, []);
        w.rig.boot('server');
        w.rig.after(seconds(noticeSeconds));
        same('passes and verdicts', w.log, [
          ...both('handles', w.server),
          'retry',
          'retry',
          'retry',
          'retry',
        ]);
        holds(
          'all have ended',
          threads.every((t) => t.ended),
        );
      },
    },
    {
      name: 'await of a server that is there, as after a stale handle, reopens and returns retry',
      run: () => {
        const w = new World(boards);
        w.register('one', 'handles');
        const startNs = w.rig.nowNs;
        same(
          'verdict',
          w.rig.on('one', () => w.awaiting('one')),
          'retry',
        );
        same('passes', w.log, both('handles', w.server));
        within('seconds', (w.rig.nowNs - startNs) / 1e9, 0, noticeSeconds);
      },
    },
    {
      name: 'a server that goes down during a pass: all passes run anew when it is back, and nobody is told before',
      run: () => {
        const w = new World(boards);
        let attempts = 0;
        w.register('one', 'prefixes');
        w.register('one', 'handles', 'handles', function* () {
          attempts++;
          if (attempts > 1) return;
          w.rig.crash('server');
          throw new KernelError('peerDown');
        });
        w.register('one', 'wake');
        w.watch('one');
        w.rig.spawn('one', noted(w, w.awaiting('one')));
        w.rig.after(seconds(30));
        same('until it is back', w.log, [...both('prefixes', w.server), `handles of host ${w.server}`]);
        w.rig.boot('server');
        w.rig.after(seconds(noticeSeconds));
        same(
          'then',
          w.log.slice(3, 9),
          ['prefixes', 'handles', 'wake'].flatMap((p) => both(p, w.server)),
        );
        holds('who waited was told', w.log.includes('retry') && w.log.indexOf('retry') >= 9);
      },
    },
    {
      name: 'what one board cannot reopen dies alone: the others’ passes run, and who waits is told to try again',
      run: () => {
        const w = new World(boards);
        w.register('one', 'handles', 'bad', function* () {
          throw new KernelError('stale');
        });
        w.register('one', 'handles', 'good');
        w.register('one', 'wake');
        same(
          'verdict',
          w.rig.on('one', () => w.awaiting('one')),
          'retry',
        );
        same('passes', w.log, [
          `bad of host ${w.server}`,
          ...both('good', w.server),
          ...both('wake', w.server),
        ]);
      },
    },
    {
      name: 'a server admits a client except between its first reopen and its completion; others always',
      run: () => {
        const w = new World(boards);
        const { host, bootId } = w.rig.machine('one');
        const two = w.rig.machine('two');
        const seen: boolean[][] = [];
        const look = (): void => {
          const server = w.recovery('server');
          seen.push([server.admits(host, bootId), server.admits(two.host, two.bootId)]);
        };
        look();
        for (const pass of ['prefixes', 'handles', 'wake'] as const)
          w.register('one', pass, pass, function* () {
            look();
            yield* sleep(ms(10));
          });
        w.rig.on('one', () => w.awaiting('one'));
        look();
        same('one and two', seen, [
          [true, true],
          [false, true],
          [false, true],
          [false, true],
          [true, true],
        ]);
      },
    },
    {
      name: 'a client that crashes while it reopens is admitted in its next life',
      run: () => {
        const w = new World(boards);
        w.register('one', 'handles', 'handles', function* () {
          w.rig.crash('one');
          yield* sleep(ms(1));
        });
        w.rig.spawn('one', w.awaiting('one'));
        w.rig.after(seconds(30));
        w.rig.boot('one');
        const { host, bootId } = w.rig.machine('one');
        holds('admitted', w.recovery('server').admits(host, bootId));
        same(
          'its next recovery',
          w.rig.on('one', () => w.awaiting('one')),
          'retry',
        );
      },
    },
    {
      name: 'servers are recovered each by itself: one that is down holds nobody up',
      run: () => {
        const w = new World(boards);
        w.register('one', 'handles');
        w.rig.crash('two');
        const two = w.rig.machine('two').host;
        const waiting = w.rig.spawn('one', w.recovery('one').await(two));
        w.rig.after(seconds(60));
        same(
          'the other',
          w.rig.on('one', () => w.awaiting('one')),
          'retry',
        );
        same('passes', w.log, both('handles', w.server));
        holds('it is waited for', !waiting.ended);
      },
    },
  ];
  if (impatient !== undefined)
    checks.push({
      name: 'a server that nobody expects back is given up in time, and found again when it is back',
      run: () => {
        const w = new World(impatient.boards);
        w.watch('one');
        w.rig.crash('server');
        const startNs = w.rig.nowNs;
        same(
          'verdict',
          w.rig.on('one', () => w.awaiting('one')),
          'give-up',
        );
        within(
          'seconds',
          (w.rig.nowNs - startNs) / 1e9,
          impatient.seconds,
          impatient.seconds + noticeSeconds,
        );
        w.register('one', 'handles');
        w.rig.boot('server');
        w.rig.after(seconds(noticeSeconds));
        same('passes', w.log, both('handles', w.server));
      },
    });
  return checks;
}

const notes = (w: World, what: string): (() => Task<void>) =>
  function* () {
    w.log.push(what);
  };

function* noted(w: World, verdict: Task<string>): Task<void> {
  w.log.push(yield* verdict);
}
