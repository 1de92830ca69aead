/**
 * Callbacks as a client takes them (`src/kernel/fsconsist/fsconsistCache.c`). The call is answered at once; a thread does
 * what is asked and reports.
 *
 *   the callback's stamp is    action
 *   newer than the file's,     refuse: the reply that carries that stamp is on its way here, and would
 *   with an open under way     undo what the callback did. The server sends it again
 *   the file's                 do it and report
 *   newer, no open under way   the same: nobody here has that open
 *   older                      the same: it comes late, and to have fewer copies than one may does no harm
 *
 *   order                      what is done
 *   write back                 with the writers held off: write back what is dirty
 *   invalidate                 with everybody held off: the same, if need be, and drop all; the file is remote from now on
 *   discard                    drop all, dirty or not
 *   attributes                 only the report
 */
import { type Task, tasks } from '@backplane/engine';
import { type Caller, type HostId, isKernelError, kernelErrorNumber } from '@backplane/slots';
import type { ClientFile } from './client-file.ts';
import type { ClientFiles } from './client-files.ts';
import type { ClientParts } from './client-parts.ts';
import { type ConsistRequest, consist, consistFlags, consistReply } from './consist-procedures.ts';
import { nothingToReport, type Report } from './open-procedures.ts';
import { isNewer, noStamp } from './stamp.ts';

export class Recalls {
  static {
    tasks(Recalls);
  }

  readonly #parts: ClientParts;
  readonly #files: ClientFiles;

  constructor(parts: ClientParts, files: ClientFiles) {
    this.#parts = parts;
    this.#files = files;
    parts.transport.serve(consist, (q, from) => this.#called(q, from));
  }

  *#called(q: ConsistRequest, from: Caller): Task<boolean> {
    const file = this.#files.find(from.host, q.file);
    const known = file?.stamp ?? noStamp;
    const discards = (q.flags & consistFlags.discard) !== 0;
    if (!discards && isNewer(q.stamp, known) && this.#parts.servers.hasOpensUnderWay(from.host)) return false;
    this.#parts.machine.scope.spawn('consist', this.#obey(file, q, from.host));
    return true;
  }

  *#obey(file: ClientFile | undefined, q: ConsistRequest, server: HostId): Task<void> {
    let error = 0;
    let report: Report = nothingToReport;
    if (file !== undefined && !file.lost) {
      try {
        report = yield* this.#act(file, q.flags);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        error = kernelErrorNumber(e.kind);
      }
    }
    try {
      yield* this.#parts.transport.call(server, consistReply, { ticket: q.ticket, error, report });
    } catch (e) {
      // A server that fell silent has given up waiting.
      if (!isKernelError(e)) throw e;
    }
  }

  /** @throws what kept dirty blocks from being written back */
  *#act(file: ClientFile, flags: number): Task<Report> {
    if ((flags & consistFlags.discard) !== 0) {
      file.discard();
      return nothingToReport;
    }
    if ((flags & consistFlags.writeBack) !== 0) {
      yield* file.access.share();
      try {
        yield* file.flush();
      } finally {
        file.access.giveBack();
      }
    }
    if ((flags & consistFlags.invalidate) === 0) return file.report;
    yield* file.access.takeAlone();
    try {
      yield* file.flush();
      const { report } = file;
      file.stopCaching();
      return report;
    } finally {
      file.access.giveBack();
      file.settled();
    }
  }
}
