/** A client and two servers with the naming under test. What a server would answer is the check's own to say. */
import type { Task } from '@backplane/engine';
import {
  type About,
  type Attempt,
  authority,
  done,
  type Kernel,
  type KernelSpec,
  type NameTarget,
  type NameView,
  type Naming,
  redirect,
  token,
  type Undo,
} from '@backplane/slots';
import { calling } from '../neighbours.ts';
import { Rig } from '../rig.ts';
import type { Bounds, SharedDirectory } from './under-test.ts';

export type HostName = 'client' | 'ginger' | 'mint';
export const protocol = 'names of a check';

export class World {
  readonly rig: Rig;
  readonly #prefixes: string[] = [];

  constructor({ boards }: Pick<Bounds, 'boards'>, seed = 1, sharing?: SharedDirectory) {
    const kernel = calling().with(boards);
    const server = (o: KernelSpec = {}): Kernel => kernel.with(o);
    const kernels = { client: kernel, ginger: server(sharing?.ginger), mint: server(sharing?.mint) };
    this.rig = new Rig(kernels, { seed });
  }

  naming(host: HostName): Naming {
    return this.rig.board(host, 'naming');
  }

  /** The host serves a domain under this prefix. */
  export(host: HostName, prefix: string, root = `root of ${prefix}`): Undo {
    if (!this.#prefixes.includes(prefix)) this.#prefixes.push(prefix);
    return this.naming(host).export({ prefix, protocol, authority: authority(host), root: token(root) });
  }

  /** A thread of a host with a view of its own, to its end. */
  on<T>(host: HostName, body: (view: NameView) => Task<T>): T {
    return this.rig.on(host, () => body(this.naming(host).view()));
  }

  /** Where a name leads. */
  where(view: NameView, name: string, about: About = 'object'): Task<NameTarget> {
    return view.perform(name, about, (t) => this.walk(t, about));
  }

  /** What the servers answer whose trees hold nothing but the marks of one another's domains. */
  *walk(t: NameTarget, about: About): Task<Attempt<NameTarget>> {
    const path = `${t.prefix === '/' ? '' : t.prefix}/${t.remainder}`.replace(/\/$/, '') || '/';
    const other = this.#prefixes
      .filter((p) => p.length > t.prefix.length && (path === p || path.startsWith(`${p}/`)))
      .filter((p) => about === 'object' || p !== path)
      .sort((a, b) => b.length - a.length)[0];
    return other === undefined || t.root !== t.domainRoot ? done(t) : redirect(path, other.length);
  }
}

/** What two targets are compared by. */
export const shown = (t: NameTarget): string =>
  `${t.protocol} | ${t.authority} | ${t.prefix} | ${t.root} | ${t.domainRoot} | ${t.remainder}`;

/** The target of a name that is looked up from the root of a domain. */
export const target = (
  host: HostName,
  prefix: string,
  remainder: string,
  root = `root of ${prefix}`,
): string => `${protocol} | ${host} | ${prefix} | ${root} | ${root} | ${remainder}`;
