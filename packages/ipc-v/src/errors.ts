/** What a developer can do wrong with a process. What programs do wrong are codes in replies. */
import { BackplaneError } from '@backplane/slots';

export const board = '@backplane/ipc-v';

export const receivesWhileServing = (process: string): BackplaneError =>
  new BackplaneError(
    'PROCESS_SERVES',
    { board, process },
    `${board}: the process "${process}" runs a procedure for each request, so there is nothing to receive.`,
    'Receive in a process of its own, or do the work in the procedure given to "serve".',
  );

export const servesTwice = (process: string): BackplaneError =>
  new BackplaneError(
    'PROCESS_SERVES',
    { board, process },
    `${board}: the process "${process}" serves already, or one of its threads is receiving.`,
    'A process works by messages or by one procedure. Create another process for the other way.',
  );

export const receivesTwice = (process: string): BackplaneError =>
  new BackplaneError(
    'PROCESS_RECEIVES',
    { board, process },
    `${board}: two threads receive as the process "${process}" at the same time.`,
    'A process is one thread of control: create a process for each thread that receives.',
  );
