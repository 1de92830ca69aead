/**
 * Joining fragments (RFC 791, section 3.2, "An Example Reassembly Procedure"): a state machine without clock or timer.
 *
 *   state       event                                  action                                        next
 *   -           a whole datagram                       return it                                     -
 *   -           a fragment                             note its deadline, keep it                    gathering
 *   gathering   a fragment with bytes that lack        keep those                                    gathering
 *   gathering   a fragment with nothing new            count a duplicate                             gathering
 *   gathering   a fragment that contradicts the end    count it as malformed, drop the fragment      gathering
 *   gathering   nothing lacks any more                 return the datagram, forget it                -
 *   gathering   `expire` after the deadline            forget it                                     -
 *   gathering   too many gatherings                    forget the one whose deadline comes first     -
 *
 * Where fragments overlap, the bytes that came first stay: what has arrived is never changed by what arrives.
 *
 * Memory is bounded by `datagramsMax` times 72 Kbytes. The deadline is fixed by the fragment that opens a gathering (RFC
 * 1122, section 3.3.2, asks for 60 to 120 seconds) and later ones do not move it.
 *
 * Rules of use: hand every datagram that is for this host to `accept`; arm a timer for `nextDeadlineNs` and call `expire`
 * when it fires. Fragments are copied, so their frames need not live on.
 */
import { IPV4, type Ipv4Datagram, ipv4HeaderBytes } from './ipv4.ts';

/** What became of fragments and of the datagrams that they belonged to. */
export interface ReassemblyCounts {
  /** Datagrams joined. */
  readonly joined: number;
  /** Fragments that brought nothing new. */
  readonly duplicates: number;
  /** Fragments that no datagram can have. */
  readonly malformed: number;
  /** Datagrams given up because their time was over. */
  readonly expired: number;
  /** Datagrams given up to make room. */
  readonly evicted: number;
}

/** A datagram of which not everything has arrived. */
interface Gathering {
  /** Any of its fragments: whose it is. */
  readonly key: Ipv4Datagram;
  readonly deadlineNs: number;
  /** The fragment at offset 0, whose header the whole will have. */
  head: Ipv4Datagram | undefined;
  payload: Uint8Array;
  /** For each block of 8 bytes of `payload`: 1 once it has arrived. */
  arrived: Uint8Array;
  blocksArrived: number;
  /** End of the furthest fragment so far. */
  reachBytes: number;
  /** Length of the whole payload, once the last fragment has arrived. */
  endBytes: number | undefined;
}

const BLOCK_BYTES = 8;

/** Room for the first fragments of a datagram. */
const ROOM_BYTES = 16384;

export class Ipv4Reassembly {
  readonly #counts = { joined: 0, duplicates: 0, malformed: 0, expired: 0, evicted: 0 };
  readonly #datagramsMax: number;
  /** In the order in which they were opened. */
  readonly #gatherings: Gathering[] = [];

  /** @param options `datagramsMax`: how many datagrams are gathered at once, default 16 */
  constructor(options: { readonly datagramsMax?: number } = {}) {
    this.#datagramsMax = Math.max(1, options.datagramsMax ?? 16);
  }

  get counts(): ReassemblyCounts {
    return this.#counts;
  }

  /** How many datagrams are being gathered. */
  get pending(): number {
    return this.#gatherings.length;
  }

  /** When `expire` has next something to do. */
  get nextDeadlineNs(): number | undefined {
    return this.#soonest()?.deadlineNs;
  }

  /**
   * Takes a datagram or fragment; returns the datagram that is whole with it, if any. Never throws, whatever was decoded.
   * @param deadlineNs until when to wait for the rest, should this be the first fragment to arrive
   */
  accept(fragment: Ipv4Datagram, deadlineNs: number): Ipv4Datagram | undefined {
    const { payload, offsetBytes, moreFragments } = fragment;
    if (offsetBytes === 0 && !moreFragments) return fragment;
    const endBytes = offsetBytes + payload.length;
    if (!wellFormed(fragment, endBytes)) return this.#malformed();

    const gathering = this.#find(fragment) ?? this.#open(fragment, deadlineNs);
    if (contradicts(gathering, endBytes, moreFragments)) return this.#malformed();

    const news = keep(gathering, fragment, endBytes);
    if (!moreFragments && gathering.endBytes === undefined) gathering.endBytes = endBytes;
    else if (!news) this.#counts.duplicates++;
    return this.#join(gathering);
  }

  /** Forgets the datagrams whose deadline is at or before `nowNs`; returns how many. */
  expire(nowNs: number): number {
    const living = this.#gatherings.filter((gathering) => gathering.deadlineNs > nowNs);
    const expired = this.#gatherings.length - living.length;
    this.#gatherings.splice(0, this.#gatherings.length, ...living);
    this.#counts.expired += expired;
    return expired;
  }

  #malformed(): undefined {
    this.#counts.malformed++;
  }

  #find(fragment: Ipv4Datagram): Gathering | undefined {
    return this.#gatherings.find(
      ({ key }) =>
        key.identification === fragment.identification &&
        key.source === fragment.source &&
        key.destination === fragment.destination &&
        key.protocol === fragment.protocol,
    );
  }

  #open(fragment: Ipv4Datagram, deadlineNs: number): Gathering {
    if (this.#gatherings.length >= this.#datagramsMax) {
      const victim = this.#soonest();
      if (victim) this.#forget(victim);
      this.#counts.evicted++;
    }
    const gathering: Gathering = {
      key: { ...fragment, payload: NOTHING, options: NOTHING },
      deadlineNs,
      head: undefined,
      payload: NOTHING,
      arrived: NOTHING,
      blocksArrived: 0,
      reachBytes: 0,
      endBytes: undefined,
    };
    this.#gatherings.push(gathering);
    return gathering;
  }

  #join(gathering: Gathering): Ipv4Datagram | undefined {
    const { head, endBytes, blocksArrived, payload } = gathering;
    if (!head || endBytes === undefined || blocksArrived < Math.ceil(endBytes / BLOCK_BYTES))
      return undefined;
    this.#forget(gathering);
    if (ipv4HeaderBytes(head.options) + endBytes > IPV4.datagramBytesMax) return this.#malformed();
    this.#counts.joined++;
    return { ...head, payload: payload.subarray(0, endBytes), moreFragments: false };
  }

  #forget(gathering: Gathering): void {
    this.#gatherings.splice(this.#gatherings.indexOf(gathering), 1);
  }

  /** Of equal deadlines, the one that was opened first. */
  #soonest(): Gathering | undefined {
    let soonest = this.#gatherings[0];
    for (const gathering of this.#gatherings) {
      if (soonest && gathering.deadlineNs < soonest.deadlineNs) soonest = gathering;
    }
    return soonest;
  }
}

const NOTHING = new Uint8Array(0);

/** All fragments but the last fill whole blocks, and the whole is no longer than a datagram can be. */
const wellFormed = ({ payload, offsetBytes, moreFragments }: Ipv4Datagram, endBytes: number): boolean =>
  offsetBytes % BLOCK_BYTES === 0 &&
  endBytes <= IPV4.datagramBytesMax - IPV4.headerBytes &&
  (!moreFragments || (payload.length > 0 && payload.length % BLOCK_BYTES === 0));

/** There is one end, and nothing lies beyond it. */
const contradicts = (gathering: Gathering, endBytes: number, moreFragments: boolean): boolean => {
  if (gathering.endBytes === undefined) return !moreFragments && endBytes < gathering.reachBytes;
  return endBytes > gathering.endBytes || (!moreFragments && endBytes !== gathering.endBytes);
};

/** Copies the blocks that have not arrived before; tells whether there were any. */
const keep = (gathering: Gathering, fragment: Ipv4Datagram, endBytes: number): boolean => {
  const { payload, offsetBytes } = fragment;
  makeRoom(gathering, endBytes);
  const before = gathering.blocksArrived;
  for (let from = 0; from < payload.length; ) {
    let to = from;
    while (to < payload.length && gathering.arrived[(offsetBytes + to) / BLOCK_BYTES] === 0) {
      gathering.arrived[(offsetBytes + to) / BLOCK_BYTES] = 1;
      gathering.blocksArrived++;
      to += BLOCK_BYTES;
    }
    if (to > from) gathering.payload.set(payload.subarray(from, to), offsetBytes + from);
    from = Math.max(to, from + BLOCK_BYTES);
  }
  if (offsetBytes === 0)
    gathering.head ??= { ...fragment, payload: NOTHING, options: fragment.options.slice() };
  gathering.reachBytes = Math.max(gathering.reachBytes, endBytes);
  return gathering.blocksArrived > before;
};

/** Room begins with what most datagrams need, and doubles: to make an array costs as much as to copy a fragment. */
const makeRoom = (gathering: Gathering, endBytes: number): void => {
  const { payload, arrived } = gathering;
  if (endBytes <= payload.length) return;
  const blocks = Math.ceil(
    Math.min(Math.max(endBytes, 2 * payload.length, ROOM_BYTES), IPV4.datagramBytesMax) / BLOCK_BYTES,
  );
  gathering.payload = new Uint8Array(blocks * BLOCK_BYTES);
  gathering.payload.set(payload);
  gathering.arrived = new Uint8Array(blocks);
  gathering.arrived.set(arrived);
};
