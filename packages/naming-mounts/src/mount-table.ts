/**
 * A host's mount table: prefixes, whom each was mounted from, and the root as it was told. Prefixes are fixed for the
 * boot; only a root is asked for again, of the same host.
 *
 *   entry       event                                   next
 *   given       first use, its host answers             mounted
 *   -           the exports of everybody are mounted    mounted
 *   mounted     a server says "stale"                   given (its host is asked for the root again)
 *   exported    -                                       stays as long as the export
 */
import { type Hint, isUnder } from '@backplane/file-service';
import type { About, Export, HostId } from '@backplane/slots';

export interface Mount {
  readonly prefix: string;
  /** Whom it was mounted from; null for what this host exports itself. */
  readonly host: HostId | null;
  hint: Hint | null;
}

export class MountTable {
  /** The longest prefix first; those of one length in the order of their text. */
  #mounts: readonly Mount[] = [];

  get size(): number {
    return this.#mounts.length;
  }

  has(prefix: string): boolean {
    return this.#mounts.some((m) => m.prefix === prefix);
  }

  /** The longest prefix of the path; with `entry` the root or one that is shorter than the path. */
  match(path: string, about: About): Mount | undefined {
    return this.#mounts.find(
      (m) => isUnder(m.prefix, path) && !(about === 'entry' && m.prefix === path && path !== '/'),
    );
  }

  /** Adds a mount. What is there already stays: a host's own exports cover what others offer under the name. */
  mount(prefix: string, host: HostId, hint: Hint | null): void {
    if (!this.has(prefix)) this.#put({ prefix, host, hint });
  }

  /** Forgets the root if it is still the one that was tried: another thread may have mended it. */
  forget(wrong: Hint): boolean {
    const mount = this.#mounts.find((m) => m.prefix === wrong.prefix);
    if (mount === undefined || mount.host === null) return false;
    if (mount.hint?.root !== wrong.root || mount.hint.authority !== wrong.authority) return false;
    mount.hint = null;
    return true;
  }

  export(e: Export): () => void {
    const own: Mount = { prefix: e.prefix, host: null, hint: e };
    const covered = this.#mounts.find((m) => m.prefix === e.prefix);
    this.#mounts = this.#mounts.filter((m) => m !== covered);
    this.#put(own);
    return () => {
      if (!this.#mounts.includes(own)) return;
      this.#mounts = this.#mounts.filter((m) => m !== own);
      if (covered !== undefined) this.#put(covered);
    };
  }

  exports(): readonly Hint[] {
    return this.#mounts.flatMap((m) => (m.host === null && m.hint !== null ? [m.hint] : []));
  }

  #put(mount: Mount): void {
    this.#mounts = [...this.#mounts, mount].sort(
      (a, b) => b.prefix.length - a.prefix.length || (a.prefix < b.prefix ? -1 : 1),
    );
  }
}
