/** The contract of the slot `cleaner`, clause by clause. */
import type { RandomStream } from '@backplane/engine';
import type { Board, CleaningPolicy, LiveBlock, SegmentState } from '@backplane/slots';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { alone } from '../neighbours.ts';
import { Rig } from '../rig.ts';

export interface CleanerUnderTest {
  readonly cleaner: Board<'cleaner'>;
  /** How many logs are drawn for each property. Default 50. */
  readonly courses?: number;
}

const segmentBytes = 1 << 20;
/** A log of ten days. */
const nowNs = 10 * 24 * 3600 * 1e9;

/** Segments and blocks of which some are alike in all that a policy may look at. Frozen: a policy changes nothing. */
class Log {
  readonly random: RandomStream;
  readonly segments: readonly SegmentState[];
  readonly blocks: readonly LiveBlock[];

  constructor(random: RandomStream) {
    this.random = random;
    const agesNs = Array.from({ length: 1 + random.below(8) }, () => random.below(nowNs));
    const live = Array.from({ length: 1 + random.below(8) }, () => 1 + random.below(segmentBytes));
    this.segments = Object.freeze(
      Array.from({ length: random.below(40) }, (_, segment) =>
        Object.freeze({
          segment,
          liveBytes: random.pick(live),
          bytes: segmentBytes,
          youngestNs: random.pick(agesNs),
          writtenNs: random.pick(agesNs),
        }),
      ),
    );
    this.blocks = Object.freeze(
      Array.from({ length: random.below(60) }, () =>
        Object.freeze({
          file: random.below(5),
          block: random.below(6) - 1,
          bytes: 512 * (1 + random.below(8)),
          modifyNs: random.pick(agesNs),
        }),
      ),
    );
  }

  shuffled<T>(list: readonly T[]): readonly T[] {
    return Object.freeze(this.random.shuffle([...list]));
  }
}

const numbers = (segments: readonly SegmentState[]): readonly number[] =>
  segments.map(({ segment }) => segment);

const isAlike = (a: SegmentState, b: SegmentState): boolean =>
  a.liveBytes === b.liveBytes && a.youngestNs === b.youngestNs && a.writtenNs === b.writtenNs;

export function conformsToCleaner({ cleaner, courses = 50 }: CleanerUnderTest): readonly Check[] {
  const policy = (): CleaningPolicy =>
    new Rig({ server: alone().with({ cleaner }) }).board('server', 'cleaner');
  const eachLog = (body: (log: Log, policy: CleaningPolicy) => void) => (): void => {
    const rig = new Rig({ server: alone().with({ cleaner }) });
    const tried = rig.board('server', 'cleaner');
    const { engine } = rig.cluster;
    eachCourse(courses, (seed) => body(new Log(engine.random('logs of a check', `${seed}`)), tried));
  };
  return [
    {
      name: 'what is chosen was offered, each segment at most once',
      run: eachLog((log, tried) => {
        const chosen = tried.choose(log.segments, nowNs);
        same('different segments', new Set(numbers(chosen)).size, chosen.length);
        for (const s of chosen) holds(`segment ${s.segment} was offered`, log.segments.includes(s));
      }),
    },
    {
      name: 'a segment in which everything is live is never chosen',
      run: eachLog((log, tried) => {
        const full = log.segments.map((s) => ({ ...s, liveBytes: s.bytes }));
        same('chosen', numbers(tried.choose(full, nowNs)), []);
      }),
    },
    {
      name: 'the choice does not depend on the order in which segments are offered',
      run: eachLog((log, tried) => {
        const chosen = numbers(tried.choose(log.segments, nowNs));
        same('chosen', numbers(tried.choose(log.shuffled(log.segments), nowNs)), chosen);
      }),
    },
    {
      name: 'segments that are alike come in the order of their numbers',
      run: eachLog((log, tried) => {
        const chosen = tried.choose(log.shuffled(log.segments), nowNs);
        for (const [i, a] of chosen.entries())
          for (const b of chosen.slice(i + 1))
            if (isAlike(a, b))
              holds(`segment ${a.segment} comes before segment ${b.segment}`, a.segment < b.segment);
      }),
    },
    {
      name: 'blocks are arranged: each that was handed in, once',
      run: eachLog((log, tried) => {
        const arranged = tried.arrange(log.blocks);
        same('blocks', arranged.length, log.blocks.length);
        const left = new Set(arranged);
        for (const [i, b] of log.blocks.entries()) holds(`block ${i} is there`, left.has(b));
        same('different blocks', left.size, log.blocks.length);
      }),
    },
    {
      name: 'a policy remembers nothing: the same question has the same answer, now, later and in the next boot',
      run: eachLog((log, tried) => {
        const chosen = numbers(tried.choose(log.segments, nowNs));
        const places = (p: CleaningPolicy): readonly number[] =>
          p.arrange(log.blocks).map((b) => log.blocks.indexOf(b));
        const arranged = places(tried);
        const other = new Log(log.random);
        tried.choose(other.segments, nowNs + 1e9);
        tried.arrange(other.blocks);
        same('chosen again', numbers(tried.choose(log.segments, nowNs)), chosen);
        same('arranged again', places(tried), arranged);
        const next = policy();
        same('chosen in another boot', numbers(next.choose(log.segments, nowNs)), chosen);
        same('arranged in another boot', places(next), arranged);
      }),
    },
    {
      name: 'what there is nothing of is chosen from and arranged as well',
      run: () => {
        const tried = policy();
        same('segments', tried.choose([], nowNs).length, 0);
        same('blocks', tried.arrange([]).length, 0);
      },
    },
  ];
}
