/**
 * The Andrew benchmark by where the bytes are, for one client and for seven (Nelson, Welch and Ousterhout 1988). The rows
 * for seven clients, and the server's load without client caches, were read off charts.
 */
import { type AndrewResult, andrew } from '../experiments/andrew.ts';
import { type Runs, resultOf } from '../runs.ts';
import { type Given, type PublishedRow, type PublishedTable, row, settingsFor } from './table.ts';

const source = 'Nelson, Welch and Ousterhout 1988';
const band = { elapsed: 0.15, share: 0.25, seven: 0.3 };

interface Case {
  readonly settings: readonly string[];
  readonly start: 'cold' | 'warm';
  readonly place: 'local' | 'diskless';
  readonly clients?: number;
}

/** Sprite's servers of 1988 wrote everything when it was 30 s old; NFS's before they answered. */
const delayed = 'storage=ofs:metadata=delayed';
const cache = 'fileCache=sprite:serverWrite=delayed';
const local = { settings: [delayed, cache], place: 'local' } as const;
const cached = { settings: [delayed, cache], place: 'diskless' } as const;
const uncached = { settings: [delayed, `${cache},clientCaching=false`], place: 'diskless' } as const;

const localWarm: Case = { ...local, start: 'warm' };
const localCold: Case = { ...local, start: 'cold' };
const uncachedWarm: Case = { ...uncached, start: 'warm' };
const uncachedCold: Case = { ...uncached, start: 'cold' };
const cachedWarm: Case = { ...cached, start: 'warm' };
const cachedCold: Case = { ...cached, start: 'cold' };
const sevenUncached: Case = { ...uncachedWarm, clients: 7 };
const sevenCached: Case = { ...cachedWarm, clients: 7 };
const nfsCold: Case = {
  settings: ['storage=ofs:metadata=synchronous', 'fileCache=nfs', 'naming=mounts'],
  place: 'diskless',
  start: 'cold',
};

type Seen = (c: Case) => AndrewResult;

type Figure = Pick<PublishedRow, 'row' | 'unit' | 'published' | 'kind' | 'band'> & {
  readonly cases: readonly Case[];
  /** From the results of those cases. */
  readonly measure: (seen: Seen) => number;
};

const seconds = (name: string, c: Case, published: number, kind: 'fitted' | 'predicted'): Figure => ({
  row: `${name}, ${c.start}`,
  unit: 's',
  published,
  kind,
  band: band.elapsed,
  cases: [c],
  measure: (seen) => seen(c).seconds,
});

const percent = (
  name: string,
  c: Case,
  share: 'serverProcessorShare' | 'networkShare',
  published: number,
  within: number,
): Figure => ({
  row: name,
  unit: '%',
  published,
  kind: 'predicted',
  band: within,
  cases: [c],
  measure: (seen) => seen(c)[share] * 100,
});

/** Elapsed time over that of one machine with a local disk. */
const degradation = (name: string, c: Case, published: number, kind: 'predicted' | 'check'): Figure => ({
  row: name,
  unit: 'x',
  published,
  kind,
  band: band.seven,
  cases: [c, localWarm],
  measure: (seen) => seen(c).seconds / seen(localWarm).seconds,
});

const one = 'processor of the server, one client';

const figures: readonly Figure[] = [
  seconds('local disk', localWarm, 249, 'fitted'),
  seconds('local disk', localCold, 261, 'predicted'),
  seconds('diskless, no client cache', uncachedWarm, 363, 'predicted'),
  seconds('diskless, no client cache', uncachedCold, 373, 'predicted'),
  seconds('diskless, client cache', cachedWarm, 280, 'predicted'),
  seconds('diskless, client cache', cachedCold, 291, 'predicted'),
  percent(`${one}, client cache`, cachedWarm, 'serverProcessorShare', 8.9, band.share),
  percent(`${one}, no client cache`, uncachedWarm, 'serverProcessorShare', 18, band.share),
  percent('network, one client, client cache', cachedWarm, 'networkShare', 1.04, band.share),
  degradation('seven clients, no client cache', sevenUncached, 2.5, 'predicted'),
  percent('seven clients, no client cache: server', sevenUncached, 'serverProcessorShare', 80, band.seven),
  percent('seven clients, no client cache: network', sevenUncached, 'networkShare', 30, band.seven),
  degradation('seven clients, client cache', sevenCached, 1.3, 'check'),
  percent('seven clients, client cache: server', sevenCached, 'serverProcessorShare', 50, band.seven),
  percent('seven clients, client cache: network', sevenCached, 'networkShare', 5, band.seven),
  {
    // Sprite ran it 30 % faster, converted from other clients with other placements: a range of 0.6 to 0.8.
    row: 'Sprite over NFS, cold',
    unit: 'x',
    published: 0.7,
    kind: 'check',
    band: 0.15,
    cases: [cachedCold, nfsCold],
    measure: (seen) => seen(cachedCold).seconds / seen(nfsCold).seconds,
  },
];

export const andrewTable: PublishedTable = {
  name: 'andrew',
  title: 'The Andrew benchmark on Sprite',
  *measure(given) {
    const results = new Map<Case, AndrewResult>();
    for (const c of figures.flatMap((f) => f.cases))
      if (!results.has(c)) results.set(c, yield* run(c, given));
    const seen: Seen = (c) => results.get(c) as AndrewResult; // boundary: a figure asks for its own cases
    return figures.map(({ measure, cases: _, ...f }) =>
      row({ source, table: 'andrew', ...f, measured: measure(seen) }),
    );
  },
};

function* run({ settings, start, place, clients }: Case, given: Given): Runs<AndrewResult> {
  return yield* resultOf(andrew, {
    ...settingsFor(given, ...settings),
    parameters: { start, place },
    ...(clients !== undefined && { clients }),
  });
}
