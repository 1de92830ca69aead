/**
 * The server's half of the transport: the table of server processes, which one a packet is for, and the daemon that makes
 * and reclaims them (`src/kernel/rpc/rpcDispatch.c`, `rpcDaemon.c`).
 *
 *   a request finds                     action
 *   the process that has this call      it is a repetition: the process answers
 *   the process bound to its channel    a new call: it acknowledges the last reply
 *   a free process                      it is bound to the channel
 *   none, and the table may grow        a process is made for it
 *   none                                dropped: the client sends it again; turned away with a nack where that is the policy
 *
 * At most once: `#executed` keeps, for each channel of each client, the newest call that was handed to a handler in the
 * client's present life. A call that is not newer is never begun, however late its packets come and whatever has become of
 * its process. (Sprite begins any call whose identifier differs from the last one's, and so executes a late duplicate.) And
 * a request that was meant for another life of this host is refused: the client knows what that means.
 *
 * Sprite's dispatcher cannot make a process at interrupt level: it drops the packet and pokes the daemon, which makes one
 * for when the request comes again. While a table grows, that can make a client give up on a server that is merely busy.
 *
 * The daemon wakes every 2 s, every second once no more processes may be made, and only while a process keeps something:
 * first a process that waits for its client's next call begins to age; from the second pass on the client is probed; at age
 * 10 the process is taken away. Any packet of the client makes it young again. Fragments of a request that is never
 * completed age like a reply, which Sprite leaves to the next call of the channel.
 */
import { seconds, Timer } from '@backplane/engine';
import type { HostId } from '@backplane/slots';
import { everybody, flags, limits, refusals, types } from './layout.ts';
import { hint, instantWords, lifeIn, lifeOf, noProcess, processIn } from './lives.ts';
import { Message } from './message.ts';
import { noBytes, type Packet } from './packet.ts';
import { isHarmless } from './procedures.ts';
import { type ServerParts, ServerProcess } from './server-process.ts';

const passNs = /* @__PURE__ */ seconds(2);
const hurriedPassNs = /* @__PURE__ */ seconds(1);
const ageMax = 10;
/** Turned-away clients that wait for their nack at once; further ones get none. */
const nacksMax = 4;

export interface ServerPolicy {
  /** Processes made at boot, and at most. */
  readonly servers: number;
  readonly serversMax: number;
  readonly nacks: boolean;
}

type Common = Omit<ServerParts, 'accepted' | 'isNewest' | 'keeps'>;

export class Servers {
  readonly #parts: ServerParts;
  readonly #policy: ServerPolicy;
  readonly #life: number;
  readonly #bootNs: number;
  readonly #processes: ServerProcess[] = [];
  /** By client and channel: the newest call handed to a handler; and whether there was one. */
  readonly #executed: Uint32Array = new Uint32Array(limits.hosts * limits.channels);
  readonly #any: Uint8Array = new Uint8Array(limits.hosts * limits.channels);
  readonly #pass: Timer;
  /** More processes were wanted than may be made. */
  #maxed = false;
  #enabled = false;
  #nacksUnderWay = 0;
  /** Packets about calls for which there is no process. */
  readonly #note: Message = new Message();

  constructor(parts: Common, policy: ServerPolicy) {
    this.#parts = {
      ...parts,
      accepted: (process) => this.#accepted(process),
      isNewest: (process) => this.#isNewest(process),
      keeps: () => this.#keeps(),
    };
    this.#policy = policy;
    this.#life = lifeOf(parts.machine.bootId);
    this.#bootNs = parts.machine.engine.nowNs;
    this.#pass = new Timer(parts.machine.scope, 'rpc daemon', () => this.#reclaim());
    parts.machine.metrics.register('rpc.servers', () => this.#processes.length, 'max');
  }

  /** From now on requests are served. */
  enable(): void {
    while (this.#processes.length < this.#policy.servers) this.#make();
    this.#enabled = true;
  }

  // ---- packets ----

  /** A packet bound for the server's side, from a client of the life that is known as its newest. */
  arrive(p: Packet): void {
    const process = this.#find(p);
    if (process !== undefined && process.id === p.id && process.bootId === p.bootId) process.again(p);
    else if ((p.flags & types.request) === 0) this.#parts.counters.duplicates++;
    else if (this.#mayBegin(p)) this.#begin(p, process);
  }

  /** A client has another life: its calls count anew, and nobody waits for the replies to the old ones. */
  forget(client: number): void {
    this.#any.fill(0, client * limits.channels, (client + 1) * limits.channels);
    for (const process of this.#processes) {
      if (process.clientId !== client) continue;
      if (process.state === 'busy') process.stuck = true;
      else process.free();
    }
  }

  /** A client is called dead: what is being executed for it must not hold up its calls, should it come back. */
  abandon(client: HostId): void {
    for (const process of this.#processes) {
      if (process.clientId === client && process.state === 'busy') process.stuck = true;
    }
  }

  #find(p: Packet): ServerProcess | undefined {
    const hinted = this.#processes[processIn(p.hint)];
    if (hinted !== undefined && isFor(hinted, p)) return hinted;
    for (const process of this.#processes) if (isFor(process, p)) return process;
    return undefined;
  }

  /** Whether a call that no process has may be executed here and now. */
  #mayBegin(p: Packet): boolean {
    const { counters } = this.#parts;
    const harmless = isHarmless(p.command);
    if (p.bootId === 0) return harmless && this.#enabled;
    const k = slot(p.clientId, p.channel);
    if (this.#any[k] === 1 && !newer(p.id, this.#executed[k] as number)) {
      counters.duplicates++;
      return false;
    }
    const toUs = p.serverId !== everybody;
    const wholeBatch = p.fragments === 0 || (p.flags & flags.lastFragment) !== 0;
    if (toUs && !harmless && lifeIn(p.hint) !== this.#life) {
      counters.refused++;
      if (wholeBatch) this.#refuse(p, refusals.otherLife, instantWords(this.#bootNs));
      return false;
    }
    if (!this.#enabled && toUs && wholeBatch) this.#refuse(p, refusals.serviceDisabled, noBytes);
    return this.#enabled;
  }

  #begin(p: Packet, bound: ServerProcess | undefined): void {
    let process = bound;
    if (process?.state === 'busy') {
      process.stuck = true;
      return;
    }
    if (process?.state === 'joining' && process.bootId === p.bootId && !newer(p.id, process.id)) {
      this.#parts.counters.duplicates++; // a late fragment of a call that the client has given up
      return;
    }
    process ??= this.#processes.find((s) => s.state === 'free') ?? this.#make();
    if (process === undefined) this.#turnAway(p);
    else process.begin(p);
  }

  #accepted(process: ServerProcess): void {
    if (process.bootId === 0) return;
    const k = slot(process.clientId, process.channel);
    this.#executed[k] = process.id;
    this.#any[k] = 1;
  }

  #isNewest(process: ServerProcess): boolean {
    if (process.bootId === 0) return !process.stuck;
    const k = slot(process.clientId, process.channel);
    const sameLife = this.#parts.peers.of(process.clientId).bootId === process.bootId;
    return sameLife && this.#any[k] === 1 && this.#executed[k] === process.id;
  }

  #refuse(p: Packet, code: number, words: Uint8Array): void {
    const note = this.#answerTo(p);
    note.flags = types.reply | flags.error;
    note.command = code;
    note.fill(words, noBytes, this.#parts.output.fragmentBytes);
    this.#parts.output.short(note);
  }

  #answerTo(p: Packet): Message {
    const note = this.#note;
    note.to = p.clientId;
    note.clientId = p.clientId;
    note.serverId = this.#parts.machine.host;
    note.channel = p.channel;
    note.hint = hint(this.#life, noProcess);
    note.id = p.id;
    note.command = p.command;
    return note;
  }

  // ---- too few processes ----

  #turnAway(p: Packet): void {
    const { counters, output } = this.#parts;
    counters.noServer++;
    this.#maxed = true;
    if (!this.#policy.nacks || p.serverId === everybody || this.#nacksUnderWay === nacksMax) return;
    counters.nacks++;
    this.#nacksUnderWay++;
    output.acknowledge(this.#answerTo(p), types.nack | types.ack, 0, () => {
      this.#nacksUnderWay--;
    });
  }

  #make(): ServerProcess | undefined {
    if (this.#processes.length === this.#policy.serversMax) return undefined;
    const process = new ServerProcess(this.#processes.length, this.#parts);
    this.#processes.push(process);
    return process;
  }

  // ---- reclaiming ----

  #keeps(): void {
    if (!this.#pass.armed) this.#pass.set(this.#maxed ? hurriedPassNs : passNs);
  }

  #reclaim(): void {
    let kept = false;
    for (const process of this.#processes) {
      if (process.state !== 'waiting' && process.state !== 'joining') continue;
      process.age++;
      if (process.age >= ageMax) {
        this.#parts.counters.reclaimed++;
        process.free();
        continue;
      }
      kept = true;
      if (process.age > 1 || this.#maxed) process.probe();
    }
    if (kept) this.#keeps();
  }
}

/** The process bound to the packet's channel. One that is stuck is passed over by other calls than its own. */
const isFor = (process: ServerProcess, p: Packet): boolean =>
  process.clientId === p.clientId &&
  process.channel === p.channel &&
  (!process.stuck || (process.id === p.id && process.bootId === p.bootId));

const slot = (client: number, channel: number): number => client * limits.channels + channel;

/** Identifiers are serial numbers, which wrap. */
const newer = (id: number, than: number): boolean => ((id - than) | 0) > 0;
