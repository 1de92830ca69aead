/**
 * The Andrew benchmark by where the bytes are, for one client and for seven (Nelson, Welch and Ousterhout 1988). The rows
 * for seven clients, and the server's load without client caches, were read off charts.
 */
import { type AndrewResult, andrew } from '../experiments/andrew.ts';
import { runExperiment } from '../run.ts';
import { parseSetting } from '../setting.ts';
import { type PublishedRow, type PublishedTable, row } from './table.ts';

const source = 'Nelson, Welch and Ousterhout 1988';
const band = { elapsed: 0.15, share: 0.25, seven: 0.3 };

interface Case {
  readonly settings: readonly string[];
  readonly start: 'cold' | 'warm';
  readonly place: 'local' | 'diskless';
  readonly clients?: number;
}

/** Sprite's servers of 1988 wrote descriptors and directories when they were 30 s old; NFS's before they answered. */
const delayed = 'storage=ofs:metadata=delayed';
const local = { settings: [delayed], place: 'local' } as const;
const cached = { settings: [delayed], place: 'diskless' } as const;
const uncached = { settings: [delayed, 'fileCache=sprite:clientCaching=false'], place: 'diskless' } as const;
const nfs = {
  settings: ['storage=ofs:metadata=synchronous', 'fileCache=nfs', 'naming=mounts'],
  place: 'diskless',
} as const;

/** Each case is run once, whatever asks for it. */
class Runs {
  readonly #seed: number;
  readonly #done = new Map<string, AndrewResult>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  of(c: Case): AndrewResult {
    const key = JSON.stringify(c);
    const result = this.#done.get(key) ?? this.#run(c);
    this.#done.set(key, result);
    return result;
  }

  #run({ settings, start, place, clients }: Case): AndrewResult {
    return runExperiment(andrew, {
      seed: this.#seed,
      settings: settings.map((s) => parseSetting(s)),
      parameters: { start, place },
      ...(clients !== undefined && { clients }),
    }).result;
  }
}

type Figure = Pick<PublishedRow, 'row' | 'unit' | 'published' | 'kind' | 'band'> & {
  readonly measure: (runs: Runs) => number;
};

const seconds = (name: string, c: Case, published: number, kind: 'fitted' | 'predicted'): Figure => ({
  row: `${name}, ${c.start}`,
  unit: 's',
  published,
  kind,
  band: band.elapsed,
  measure: (runs) => runs.of(c).seconds,
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
  measure: (runs) => runs.of(c)[share] * 100,
});

/** Elapsed time over that of one machine with a local disk. */
const degradation = (name: string, c: Case, published: number, kind: 'predicted' | 'check'): Figure => ({
  row: name,
  unit: 'x',
  published,
  kind,
  band: band.seven,
  measure: (runs) => runs.of(c).seconds / runs.of({ ...local, start: 'warm' }).seconds,
});

const one = 'processor of the server, one client';
const sevenUncached = { ...uncached, start: 'warm', clients: 7 } as const;
const sevenCached = { ...cached, start: 'warm', clients: 7 } as const;

const figures: readonly Figure[] = [
  seconds('local disk', { ...local, start: 'warm' }, 249, 'fitted'),
  seconds('local disk', { ...local, start: 'cold' }, 261, 'predicted'),
  seconds('diskless, no client cache', { ...uncached, start: 'warm' }, 363, 'predicted'),
  seconds('diskless, no client cache', { ...uncached, start: 'cold' }, 373, 'predicted'),
  seconds('diskless, client cache', { ...cached, start: 'warm' }, 280, 'predicted'),
  seconds('diskless, client cache', { ...cached, start: 'cold' }, 291, 'predicted'),
  percent(`${one}, client cache`, { ...cached, start: 'warm' }, 'serverProcessorShare', 8.9, band.share),
  percent(`${one}, no client cache`, { ...uncached, start: 'warm' }, 'serverProcessorShare', 18, band.share),
  percent(
    'network, one client, client cache',
    { ...cached, start: 'warm' },
    'networkShare',
    1.04,
    band.share,
  ),
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
    measure: (runs) =>
      runs.of({ ...cached, start: 'cold' }).seconds / runs.of({ ...nfs, start: 'cold' }).seconds,
  },
];

export const andrewTable: PublishedTable = {
  name: 'andrew',
  title: 'The Andrew benchmark on Sprite',
  measure(seed) {
    const runs = new Runs(seed);
    return figures.map(({ measure, ...f }) =>
      row({ source, table: 'andrew', ...f, measured: measure(runs) }),
    );
  },
};
