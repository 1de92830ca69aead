/**
 * After a crash of this machine: what is in its non-volatile memory goes to the servers. At boot, before any program runs,
 * each file of which blocks are there is known again as it was: dirty, and cached by the client that wrote it last. Its
 * server is then in doubt, as one that fell silent, and the ordinary reopening tells it of the file.
 *
 *   a file is      event                                     action                              next
 *   in the memory  boot                                      its blocks come back into the cache found
 *   in the memory  boot, too few page frames                 it stays until another boot         in the memory
 *   in the memory  its words are missing, or another label   count and forget its blocks         let go
 *                  of the same file is younger
 *   found          the server is there, or comes back        FS_RESTORE: version, size           told
 *   told           admitted                                  write its blocks to the disk there  given back
 *   told           refused: the file is gone, or others      count and drop them                 let go
 *                  have written it
 *   found, told    the server falls silent                   as for any dirty file               found
 *
 * Until then it is a dirty file like any other: programs of this machine read and write it, and it may be recalled.
 */
import type { Aside, HostId, KeptLabel } from '@backplane/slots';
import { labelPrefix, stateOf } from './aside-copies.ts';
import type { ClientFiles } from './client-files.ts';
import type { ClientParts } from './client-parts.ts';
import { traceSurvivors } from './trace-kinds.ts';

export class Survivors {
  readonly #parts: ClientParts;
  readonly #files: ClientFiles;

  constructor(parts: ClientParts, files: ClientFiles) {
    this.#parts = parts;
    this.#files = files;
  }

  /** On a thread of the boot, since bytes are moved. */
  bringBack(): void {
    const { aside, servers } = this.#parts;
    if (aside === null) return;
    const found = new Set<HostId>();
    // Of two labels for one file the younger counts: the other one was left in the memory by an earlier boot.
    for (const kept of aside.kept(labelPrefix).toReversed()) {
      const server = this.#bringBack(aside, kept);
      if (server !== undefined) found.add(server);
    }
    for (const server of found) servers.doubt(server);
  }

  /** The server of the file, if its blocks are back. */
  #bringBack(aside: Aside, { label, words, blocks }: KeptLabel): HostId | undefined {
    const { counters, policy, machine } = this.#parts;
    counters.survivorsFound += blocks.length;
    const state = stateOf(words);
    const file =
      state === undefined || state.server === machine.host
        ? undefined
        : this.#files.survivor(this.#parts, state, label, policy.usualDelay);
    if (state === undefined || file === undefined) {
      counters.survivorsRefused += blocks.length;
      aside.forget(label);
      return undefined;
    }
    const { server } = state;
    const back = file.revive(state, blocks);
    if (!back) this.#files.lost(file);
    traceSurvivors(machine, { server, label, blocks: blocks.length, outcome: back ? 'found' : 'left' });
    return back ? server : undefined;
  }
}
