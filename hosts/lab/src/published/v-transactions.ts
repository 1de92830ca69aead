/** V's message transactions (Cheriton 1988, Table I and the text around it; RFC 1045, VII.10, for requests of 16 KB). */
import { type IpcTableResult, ipcTable } from '../experiments/ipc-table.ts';
import { type Runs, resultOf } from '../runs.ts';
import { type Given, type PublishedRow, row, settingsFor } from './table.ts';

const article = 'Cheriton 1988';
const rfc = 'RFC 1045';

type Measured = IpcTableResult['rows'][number];

interface Figure {
  readonly place: Measured['place'];
  readonly requestBytes?: number;
  readonly responseBytes?: number;
  readonly moved?: true;
  readonly published: number;
  readonly kind: 'fitted' | 'predicted';
  readonly source?: string;
}

/** Table I, more than one packet. */
const large = [
  [4096, 11.2],
  [8192, 17.8],
  [12_288, 23],
  [16_384, 30],
] as const;

/**
 * Table I has responses; "multi-packet requests with a minimal response, such as arise with file writing, are almost
 * identical in cost". There the server moves the data out of the client's memory, as it moves a response into it; requests
 * of one packet group, as the RFC has them, are cheaper: 4 KB take 8.9 ms here, which is not almost 11.2.
 */
const requests = large.map(([requestBytes, published]): Figure => {
  return { place: 'remote', requestBytes, moved: true, published, kind: 'predicted' };
});

const figures: readonly Figure[] = [
  { place: 'local', published: 0.48, kind: 'fitted' },
  { place: 'local', responseBytes: 8192, published: 2.7, kind: 'fitted' },
  { place: 'remote', published: 2.54, kind: 'fitted' },
  { place: 'remote', responseBytes: 1024, published: 3.93, kind: 'predicted' },
  ...large.map(([responseBytes, published]): Figure => {
    return { place: 'remote', responseBytes, published, kind: 'predicted' };
  }),
  ...requests,
  // 4.7 Mbit/s.
  { place: 'remote', requestBytes: 16_384, published: 27.9, kind: 'predicted', source: rfc },
];

/** "Under 0.8 ms". */
const datagramMs = 0.8;

export function* transactionRows(given: Given): Runs<readonly PublishedRow[]> {
  const { rows } = yield* resultOf(ipcTable, {
    ...settingsFor(given),
    machineTypes: { '': 'sun3-75' },
  });
  return [...figures.map((f) => rowOf(f, rows)), datagramRow(rows)];
}

function rowOf(f: Figure, rows: readonly Measured[]): PublishedRow {
  const { requestBytes = 0, responseBytes = 0, moved = false } = f;
  const found = rows.find(
    (r) =>
      r.place === f.place &&
      r.requestBytes === requestBytes &&
      r.responseBytes === responseBytes &&
      r.moved === moved &&
      !r.datagram,
  );
  const what =
    requestBytes > 0
      ? `request of ${requestBytes / 1024} KB${moved ? ', moved' : ''}`
      : `response of ${responseBytes / 1024} KB`;
  return row({
    source: f.source ?? article,
    table: 'v',
    row: `sun3-75: ${f.place} transaction, ${what}`,
    unit: 'ms',
    published: f.published,
    measured: found?.milliseconds ?? 0,
    kind: f.kind,
    band: 0.1,
  });
}

function datagramRow(rows: readonly Measured[]): PublishedRow {
  return row({
    source: article,
    table: 'v',
    row: 'sun3-75: sending a datagram, at most',
    unit: 'ms',
    published: datagramMs,
    measured: rows.find((r) => r.datagram)?.milliseconds ?? 0,
    kind: 'check',
    band: 0,
    atMost: true,
  });
}
