/** Sprite's remote procedure calls by machine and size (Welch 1990; Douglis and Ousterhout 1991 for the SPARCstation's null call). */
import { bulk } from '../experiments/null-rpc.ts';
import { type Runs, resultOf } from '../runs.ts';
import { type Given, type PublishedRow, type PublishedTable, row, settingsFor } from './table.ts';

const welch = 'Welch 1990';

interface Figure {
  readonly machine: string;
  readonly name: string;
  readonly bytes: number;
  readonly unit: 'ms' | 'KB/s';
  readonly published: number;
  readonly kind: 'fitted' | 'predicted';
  readonly source: string;
  readonly hostMonitor?: false;
}

const figures: readonly Figure[] = [
  {
    machine: 'sun3-75',
    name: 'null call',
    bytes: 0,
    unit: 'ms',
    published: 2.45,
    kind: 'fitted',
    source: welch,
  },
  {
    machine: 'sun3-75',
    name: 'null call without host monitoring',
    bytes: 0,
    unit: 'ms',
    published: 2.19,
    kind: 'fitted',
    source: welch,
    hostMonitor: false,
  },
  {
    machine: 'sun3-75',
    name: '4 KB call',
    bytes: 4096,
    unit: 'ms',
    published: 7.2,
    kind: 'predicted',
    source: welch,
  },
  {
    machine: 'sun3-75',
    name: '16 KB calls',
    bytes: 16_384,
    unit: 'KB/s',
    published: 720,
    kind: 'predicted',
    source: welch,
  },
  {
    machine: 'sparcstation1',
    name: 'null call',
    bytes: 0,
    unit: 'ms',
    published: 1.6,
    kind: 'fitted',
    source: 'Douglis and Ousterhout 1991',
  },
  {
    machine: 'sparcstation1',
    name: '4 KB call',
    bytes: 4096,
    unit: 'ms',
    published: 5.37,
    kind: 'predicted',
    source: welch,
  },
  {
    machine: 'sparcstation1',
    name: '16 KB calls',
    bytes: 16_384,
    unit: 'KB/s',
    published: 900,
    kind: 'fitted',
    source: welch,
  },
];

export const spriteRpc: PublishedTable = {
  name: 'sprite-rpc',
  title: 'Sprite RPC',
  *measure(given) {
    const rows: PublishedRow[] = [];
    for (const f of figures) rows.push(yield* measured(f, given));
    return rows;
  },
};

function* measured(f: Figure, given: Given): Runs<PublishedRow> {
  const own = f.hostMonitor === false ? ['transport=sprite:hostMonitor=false'] : [];
  const { rows } = yield* resultOf(bulk, {
    ...settingsFor(given, ...own),
    machineTypes: { '': f.machine },
    parameters: { sizes: String(f.bytes) },
  });
  const [trip] = rows;
  return row({
    source: f.source,
    table: 'sprite-rpc',
    row: `${f.machine}: ${f.name}`,
    unit: f.unit,
    published: f.published,
    measured: (f.unit === 'ms' ? trip?.milliseconds : trip?.kilobytesPerSecond) ?? 0,
    kind: f.kind,
    band: 0.1,
  });
}
