/**
 * Tracks for things of which several go on at once. What begins takes the first free lane and keeps it until it ends,
 * so that slices on one lane never overlap; there are as many lanes as were ever busy together.
 */
import type { TrackId } from './perfetto.ts';

export class Lanes<K> {
  readonly #make: (n: number) => TrackId;
  readonly #tracks: TrackId[] = [];
  /** Who is on each lane; undefined where nobody is. */
  readonly #busy: (K | undefined)[] = [];

  /** @param make declares the track of lane n, from 0 */
  constructor(make: (n: number) => TrackId) {
    this.#make = make;
  }

  /** The lane for something that begins. */
  take(key: K): TrackId {
    const free = this.#busy.indexOf(undefined);
    const lane = free < 0 ? this.#busy.length : free;
    this.#busy[lane] = key;
    const track = this.#tracks[lane] ?? this.#make(lane);
    this.#tracks[lane] = track;
    return track;
  }

  /** The lane of something that ends; undefined when it is on none. */
  release(key: K): TrackId | undefined {
    const lane = this.#busy.indexOf(key);
    if (lane < 0) return undefined;
    this.#busy[lane] = undefined;
    return this.#tracks[lane];
  }

  /** Ends all that goes on, and gives the lanes where something did. */
  releaseAll(): readonly TrackId[] {
    const tracks = this.#tracks.filter((_, lane) => this.#busy[lane] !== undefined);
    this.#busy.fill(undefined);
    return tracks;
  }
}
