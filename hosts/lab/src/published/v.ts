/** V, from one table of primitive costs for each machine: messages, uniform I/O, processes, pipes. */
import type { PublishedTable } from './table.ts';
import { ioRows } from './v-io.ts';
import { transactionRows } from './v-transactions.ts';

export const vTable: PublishedTable = {
  name: 'v',
  title: 'Messages, files, processes and pipes of V',
  *measure(given) {
    return [...(yield* transactionRows(given)), ...(yield* ioRows(given))];
  },
};
