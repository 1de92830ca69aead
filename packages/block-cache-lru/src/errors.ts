/** What a developer can do wrong with a block cache. */
import { BackplaneError } from '@backplane/slots';

export const smallNvramBlocks = (machine: string, nvramBytes: number, blockBytes: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, nvramBytes, blockBytes },
    `The nvram of ${machine} keeps blocks of ${nvramBytes} bytes; those of the cache have ${blockBytes}.`,
    `Give it blocks of at least that: --set nvram=nvram:blockBytes=${blockBytes}`,
  );
