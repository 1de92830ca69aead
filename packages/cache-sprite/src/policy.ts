/**
 * When dirty blocks leave a client (Nelson 1988, chapter 6). Files below a temporary prefix stay until they are asked for,
 * recalled, or in the way, whatever the policy.
 *
 *   policy                 a dirty block leaves
 *   delay                  when it, or another one of its file, is so many seconds old
 *   write-through          before the write returns
 *   write-back-on-close    as delay, and before a close of a writer
 *   asap                   as soon as a process of the cache is free to write it
 *   full-delay             when it is asked for
 */
import { seconds } from '@backplane/engine';
import { isUnder, tidy } from '@backplane/file-service';
import type { NameTarget, Token, WriteDelay } from '@backplane/slots';

export type Policy = 'delay' | 'write-through' | 'write-back-on-close' | 'asap' | 'full-delay';
export const policies = ['delay', 'write-through', 'write-back-on-close', 'asap', 'full-delay'] as const;

export class WritePolicy {
  readonly writesThrough: boolean;
  readonly flushesAtClose: boolean;
  /** Of a file that is not temporary. */
  readonly usualDelay: WriteDelay;
  readonly #temporary: readonly string[];
  /** Names of the directories that were entered, so that relative names can be told to be temporary. */
  readonly #directories = new Map<Token, string>();

  constructor(policy: Policy, delaySeconds: number, temporary: readonly string[]) {
    this.writesThrough = policy === 'write-through';
    this.flushesAtClose = policy === 'write-back-on-close';
    this.usualDelay = policy === 'asap' ? 'asap' : policy === 'full-delay' ? 'never' : seconds(delaySeconds);
    this.#temporary = temporary.map(tidy);
  }

  delayOf(t: NameTarget): WriteDelay {
    return this.isTemporary(t) ? 'never' : this.usualDelay;
  }

  isTemporary(t: NameTarget): boolean {
    if (this.#temporary.length === 0) return false;
    const path = this.#pathOf(t);
    return path !== undefined && this.#temporary.some((prefix) => isUnder(prefix, path));
  }

  /** A directory was entered under this name. */
  entered(t: NameTarget, directory: Token): void {
    if (this.#temporary.length === 0) return;
    const path = this.#pathOf(t);
    if (path !== undefined) this.#directories.set(directory, path);
  }

  #pathOf(t: NameTarget): string | undefined {
    const start = t.root === t.domainRoot ? t.prefix : this.#directories.get(t.root);
    return start === undefined ? undefined : tidy(`${start}/${t.remainder}`);
  }
}
