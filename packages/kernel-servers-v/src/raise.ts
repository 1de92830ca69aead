/** The kernel has a process report what it cannot go on with, and wait for what is to become of it. */
import { type Task, task } from '@backplane/engine';
import { codeOf, type EntityId, type IpcProcess, ReplyCode } from '@backplane/slots';
import { type ExceptionKind, exceptionKinds, raiseException } from '@backplane/v-operations';

export interface Fault {
  readonly kind: ExceptionKind;
  readonly address: number;
  readonly write: boolean;
}

/** True: it shall try again. False also where nobody answers. */
export const raise: (process: IpcProcess, exceptionServers: EntityId, fault: Fault) => Task<boolean> = task(
  function* raise(process, exceptionServers, { kind, address, write }): Task<boolean> {
    const request = raiseException.request(
      {
        process: process.id,
        kind: exceptionKinds.indexOf(kind),
        address,
        write: write ? 1 : 0,
      },
      process.id,
    );
    const { message } = yield* process.send(exceptionServers, request);
    return codeOf(message) === ReplyCode.ok && raiseException.replied(message).retry === 1;
  },
);
