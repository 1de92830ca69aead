/**
 * The board for slot `naming`: a static mount table for the host, a working directory for each process.
 *
 * Which prefixes there are is settled once: by the option, or at the first name by asking every host what it exports.
 */
import { ms, type Task, tasks, WaitQueue } from '@backplane/engine';
import { type Hint, type Hints, LoopingView, tidy } from '@backplane/file-service';
import {
  type About,
  type Component,
  defineComponent,
  type Export,
  type HostId,
  hostId,
  isKernelError,
  KernelError,
  type Machine,
  type NameView,
  type Naming,
  silent,
  type Transport,
  type Undo,
} from '@backplane/slots';
import { z } from 'zod';
import { type Mount, MountTable } from './mount-table.ts';
import { listExports, mountPrefix } from './procedures.ts';
import { version } from './version.ts';

const options = z.strictObject({
  mounts: z
    .record(z.string().regex(/^\//, 'a prefix starts with "/"'), z.int().min(1).max(199))
    .default({})
    .describe(
      'host number of the server by prefix; when empty, every host is asked once what it exports, and all of it is mounted',
    ),
  windowMs: z
    .number()
    .positive()
    .default(500)
    .describe('how long one broadcast waits for export lists, in milliseconds'),
  tries: z
    .int()
    .min(1)
    .max(100)
    .default(4)
    .describe('broadcasts without any answer before a name is not found'),
});
export interface MountNamingOptions {
  readonly mounts?: Record<string, number>;
  readonly windowMs?: number;
  readonly tries?: number;
}

export const mountNaming: Component<'naming', MountNamingOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/naming-mounts',
  version,
  slot: 'naming',
  contract: 1,
  requires: ['transport'],
  speaks: ['mounts'],
  serves: [{ protocol: 'mounts' }],
  options,
  create: ({ transport }, { mounts, windowMs, tries }, machine) =>
    new MountNaming(transport, machine, mounts, ms(windowMs), tries),
});

/** Have the prefixes been settled? */
type Settled = 'no' | 'asking' | 'yes';

class MountNaming implements Naming, Hints {
  static {
    tasks(MountNaming);
  }

  readonly #transport: Transport;
  readonly #windowNs: number;
  readonly #tries: number;
  readonly #table = new MountTable();
  readonly #asked = new WaitQueue();
  #settled: Settled;
  #lookups = 0;
  #broadcasts = 0;
  #mounted = 0;
  #remounted = 0;

  constructor(
    transport: Transport,
    machine: Machine,
    mounts: Readonly<Record<string, number>>,
    windowNs: number,
    tries: number,
  ) {
    this.#transport = transport;
    this.#windowNs = windowNs;
    this.#tries = tries;
    const table = this.#table;
    const given = Object.entries(mounts);
    this.#settled = given.length > 0 ? 'yes' : 'no';
    for (const [prefix, host] of given)
      if (host !== machine.host) table.mount(tidy(prefix), hostId(host), null);
    transport.serve(listExports, function* () {
      const list = table.exports();
      return list.length === 0 ? silent : list;
    });
    transport.serve(mountPrefix, function* (prefix) {
      const found = table.exports().find((e) => e.prefix === prefix);
      if (found === undefined) throw new KernelError('notFound', prefix);
      return found;
    });
    machine.metrics.register('naming.lookups', () => this.#lookups);
    machine.metrics.register('naming.broadcasts', () => this.#broadcasts);
    machine.metrics.register('naming.mounts', () => this.#mounted);
    machine.metrics.register('naming.remounts', () => this.#remounted);
  }

  view(): NameView {
    return new LoopingView(this);
  }

  export(e: Export): Undo {
    return this.#table.export(e);
  }

  *locate(path: string, about: About): Task<Hint> {
    this.#lookups++;
    if (this.#settled !== 'yes') yield* this.#settle();
    const mount = this.#table.match(path, about);
    if (mount === undefined) throw new KernelError('notFound', path);
    return mount.hint ?? (yield* this.#mount(mount));
  }

  /** Nothing is learned: what a server calls another's domain is either mounted here or cannot be reached. */
  learn(prefix: string): void {
    if (!this.#table.has(prefix)) throw new KernelError('notFound', `${prefix} is not mounted`);
  }

  forget(hint: Hint): void {
    if (this.#table.forget(hint)) this.#remounted++;
  }

  /** Asks the host of a mount for its root. */
  *#mount(mount: Mount): Task<Hint> {
    const { host, prefix } = mount;
    if (host === null) throw new KernelError('notFound', prefix);
    const hint = yield* this.#ask(host, prefix);
    // Another thread may have been faster.
    mount.hint ??= { ...hint, prefix };
    this.#mounted++;
    return mount.hint;
  }

  *#ask(host: HostId, prefix: string): Task<Hint> {
    try {
      return yield* this.#transport.call(host, mountPrefix, prefix);
    } catch (e) {
      if (isKernelError(e, 'peerDown')) throw new KernelError('noAnswer', `${prefix} on host ${host}`);
      throw e;
    }
  }

  /** One thread asks everybody; the others wait for it. Without any answer the next name asks again. */
  *#settle(): Task<void> {
    if (this.#settled === 'asking') {
      yield* this.#asked.wait();
      return;
    }
    this.#settled = 'asking';
    let answered = false;
    try {
      for (let tries = 0; !answered && tries < this.#tries; tries++) answered = yield* this.#mountAll();
    } finally {
      this.#settled = answered || this.#table.size > 0 ? 'yes' : 'no';
      this.#asked.wakeAll();
    }
  }

  *#mountAll(): Task<boolean> {
    this.#broadcasts++;
    const answers = yield* this.#transport.ask(listExports, null, {
      windowNs: this.#windowNs,
      enough: Number.MAX_SAFE_INTEGER,
    });
    for (const { from, reply } of answers)
      for (const hint of reply) {
        this.#table.mount(hint.prefix, from, hint);
        this.#mounted++;
      }
    return answers.length > 0;
  }
}
