/** What the transport knows about other hosts' lives. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import type { HostId, Payload, Transport } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, holds, same, within } from '../check.ts';
import { nothing, work } from './calls.ts';
import type { Bounds } from './under-test.ts';
import { type Host, World } from './world.ts';

/** Two hosts that have spoken; what the handlers of the first were told, in order. */
class Pair {
  readonly world: World;
  readonly here: Host;
  readonly there: Host;
  readonly told: string[] = [];

  constructor(boards: Bounds['boards']) {
    this.world = new World(boards, ['here', 'there']);
    this.here = this.world.host(0);
    this.there = this.world.host(1);
    for (const host of [this.here, this.there]) host.serves((asked) => this.#serve(host, asked));
    const { peers } = this.here.transport;
    peers.onDead(() => this.#note('dead'));
    peers.onReboot(() => this.#note('reboot'));
    this.call();
  }

  /** A call from here. */
  call(): string {
    return this.#callFrom(this.here, this.there.id);
  }

  callBack(): string {
    return this.#callFrom(this.there, this.here.id);
  }

  #callFrom(host: Host, to: HostId): string {
    return this.world.on(host, () => kindOf(host.transport.call(to, work, nothing)));
  }

  /** Silence, until it has been noticed and the handlers have run. */
  partition(): void {
    this.world.cut(this.here, this.there);
    same('a call in vain', this.call(), 'peerDown');
    this.world.after(ms(200));
  }

  *#serve(host: Host, asked: Payload): Task<Payload> {
    if (host === this.here) this.told.push('serves');
    return asked;
  }

  *#note(what: string): Task<void> {
    this.told.push(what);
    yield* sleep(ms(50));
    this.told.push(`${what} done`);
  }
}

const died = ['dead', 'dead done'];
const cameBack = ['reboot', 'reboot done'];

export const peerClauses = ({ boards, silenceSeconds, noticeSeconds }: Bounds): readonly Check[] => [
  {
    name: 'onDead is told once that a peer fell silent, and the peer is not alive then',
    run: () => {
      const pair = new Pair(boards);
      const { peers } = pair.here.transport;
      holds('alive at first', peers.isAlive(pair.there.id));
      pair.partition();
      same('a second call in vain', pair.call(), 'peerDown');
      pair.world.after(seconds(1));
      same('told', pair.told, died);
      holds('not alive', !peers.isAlive(pair.there.id));
    },
  },
  {
    name: 'no handler of a client runs before the onDead handlers for its earlier boot have ended',
    run: () => {
      const pair = new Pair(boards);
      pair.there.reboot();
      same('a call of the next life', pair.callBack(), 'ok');
      same('told', pair.told, [...died, 'serves']);
    },
  },
  {
    name: 'one who does not watch a peer hears of no reboot',
    run: () => {
      const pair = new Pair(boards);
      pair.there.reboot();
      pair.callBack();
      pair.world.after(seconds(2 * noticeSeconds));
      same('told', pair.told, [...died, 'serves']);
    },
  },
  {
    name: 'an idle host learns that a watched peer has rebooted: its death first, then its return',
    run: () => {
      const pair = new Pair(boards);
      pair.here.transport.peers.watch(pair.there.id);
      pair.world.after(seconds(5));
      pair.there.reboot();
      pair.world.after(seconds(noticeSeconds));
      same('told', pair.told, [...died, ...cameBack]);
      holds('alive', pair.here.transport.peers.isAlive(pair.there.id));
    },
  },
  {
    name: 'a partition looks like a crash, and its end like a reboot',
    run: () => {
      const pair = new Pair(boards);
      pair.here.transport.peers.watch(pair.there.id);
      pair.partition();
      same('told', pair.told, died);
      pair.world.mend();
      pair.world.after(seconds(noticeSeconds + silenceSeconds));
      same('told', pair.told, [...died, ...cameBack]);
    },
  },
  {
    name: 'an idle host learns that a watched peer is down',
    run: () => {
      const pair = new Pair(boards);
      pair.here.transport.peers.watch(pair.there.id);
      pair.there.crash();
      pair.world.after(seconds(noticeSeconds + silenceSeconds));
      same('told', pair.told, died);
    },
  },
  {
    name: 'watching is counted, and who watches nobody sends nothing',
    run: () => {
      const pair = new Pair(boards);
      const { peers } = pair.here.transport;
      const [first, second] = [peers.watch(pair.there.id), peers.watch(pair.there.id)];
      first();
      first();
      const framesIn = (forSeconds: number): number => {
        const before = pair.world.frames;
        pair.world.after(seconds(forSeconds));
        return pair.world.frames - before;
      };
      framesIn(60); // what is under way
      holds('one watch is left', framesIn(5 * noticeSeconds) > 0);
      second();
      framesIn(60);
      same('frames in a day', framesIn(86_400), 0);
    },
  },
  {
    name: 'awaitAlive returns at once for a peer that is alive and for oneself, and for another when it is heard',
    run: () => {
      const pair = new Pair(boards);
      const { world, here, there } = pair;
      const startNs = world.engine.nowNs;
      world.on(here, () => here.transport.peers.awaitAlive(there.id));
      world.on(here, () => here.transport.peers.awaitAlive(here.id));
      same('nanoseconds', world.engine.nowNs - startNs, 0);
      there.crash();
      pair.call();
      const waiter = here.spawn(here.transport.peers.awaitAlive(there.id));
      world.after(seconds(500));
      same('returned while it is down', waiter.ended, false);
      there.boot();
      world.after(seconds(noticeSeconds + silenceSeconds));
      same('returned when it is back', waiter.ended, true);
    },
  },
  {
    name: 'awaitAlive asks a host that was never heard',
    run: () => {
      const world = new World(boards, ['here', 'there']);
      const [here, there] = [world.host(0), world.host(1)];
      holds('not known to be alive', !here.transport.peers.isAlive(there.id));
      world.on(here, () => here.transport.peers.awaitAlive(there.id));
      holds('alive', here.transport.peers.isAlive(there.id));
      within('seconds', world.engine.nowNs / 1e9, 0, silenceSeconds);
    },
  },
  {
    name: 'onReboot handlers run again when the peer falls silent while they run',
    run: () => {
      const pair = new Pair(boards);
      const { world, here, there } = pair;
      here.transport.peers.watch(there.id);
      let attempts = 0;
      here.transport.peers.onReboot(function* (host): Task<void> {
        attempts++;
        if (attempts === 1) world.cut(here, there);
        yield* here.transport.call(host, work, nothing);
      });
      there.reboot();
      pair.callBack();
      world.after(seconds(silenceSeconds));
      same('attempts', attempts, 1);
      world.mend();
      world.after(seconds(noticeSeconds + silenceSeconds));
      same('attempts', attempts, 2);
    },
  },
  {
    name: 'handlers that were taken back are told nothing',
    run: () => {
      const pair = new Pair(boards);
      let others = 0;
      const other = function* (): Task<void> {
        others++;
      };
      const { peers }: Transport = pair.here.transport;
      for (const undo of [peers.onDead(other), peers.onReboot(other)]) {
        undo();
        undo();
      }
      peers.watch(pair.there.id);
      pair.partition();
      pair.world.mend();
      pair.world.after(seconds(noticeSeconds + silenceSeconds));
      same('told the others', others, 0);
      same('told', pair.told, [...died, ...cameBack]);
    },
  },
];
