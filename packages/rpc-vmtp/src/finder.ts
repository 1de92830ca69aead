/**
 * Where is an entity? (RFC 1045, section 2.4.)
 *
 *   what is known                         what is done
 *   it was heard, and nothing since then  its last place
 *   never heard                           the host that minted it, if that can be located: it may have moved
 *   it is not where we thought            ask all managers (ProbeEntity, by multicast); who has it answers
 *   it has left a host, nobody has it     the same, again and again: it is on its way; after ten seconds it is nowhere
 *
 * A number's own host that denies it, or is this one and does not have it, is a living host's word: `nonexistentEntity`,
 * unless somebody else has it. Silence of all is silence.
 */
import { sleep, type Task, tasks } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  internetHost,
  isGroup,
  isKernelError,
  type Machine,
  type Probed,
  ReplyCode,
} from '@backplane/slots';
import { type Carrier, here, type Place } from './carrier.ts';
import type { ClientRecord } from './client-record.ts';
import { responseCodes } from './codes.ts';
import type { Counters } from './counters.ts';
import { probeEntity } from './management.ts';
import { addressOf, vmtpManagerGroup } from './numbers.ts';
import type { Routes } from './routes.ts';
import { transitMaxNs, transitPauseNs } from './times.ts';

export interface FinderParts {
  readonly machine: Machine;
  readonly carrier: Carrier;
  readonly routes: Routes;
  readonly counters: Counters;
  readonly isHere: (entity: EntityId) => boolean;
  /** What this host says of an entity that is not here. */
  readonly absence: (entity: EntityId) => number;
  /** A record for a transaction of this host's own, and its return. */
  readonly take: () => ClientRecord;
  readonly giveBack: (record: ClientRecord) => void;
}

export type Finding =
  | { readonly place: Place; readonly code?: undefined }
  | { readonly place?: undefined; readonly code: number };

/** All managers are asked so often: who is away will not come back within the fourth try. */
const probeRetries = 3;

export class Finder {
  static {
    tasks(Finder);
  }

  readonly #parts: FinderParts;

  constructor(parts: FinderParts) {
    this.#parts = parts;
  }

  /**
   * @param told    what was last said against the place that we knew; undefined: nothing
   * @param settled it is where its number says, or nowhere
   * @param wanted  false: nobody waits for the answer any more
   */
  *find(entity: EntityId, told: number | undefined, settled: boolean, wanted: () => boolean): Task<Finding> {
    let code = told;
    if (code === undefined) {
      const known = this.#parts.routes.of(entity);
      if (known !== undefined) return { place: known.place };
      const hint = yield* this.#mintedAt(entity);
      if (hint.place !== undefined && hint.place !== here) return hint;
      code = hint.code ?? this.#parts.absence(entity);
    }
    if (settled) return { code };
    const { engine } = this.#parts.machine;
    for (const endNs = engine.nowNs + transitMaxNs; ; yield* sleep(transitPauseNs)) {
      const place = this.#parts.isHere(entity) ? here : yield* this.#askAll(entity);
      if (place !== undefined) return { place };
      if (code !== responseCodes.entityMigrated) return { code };
      if (!wanted() || engine.nowNs >= endNs) return { code: responseCodes.nonexistentEntity };
    }
  }

  /** Where it was heard last, or where it was minted, if that needs no question to anybody. */
  known(entity: EntityId): Place | undefined {
    const { carrier, routes, machine } = this.#parts;
    const heard = routes.of(entity);
    if (heard !== undefined) return heard.place;
    const host = internetHost(addressOf(entity));
    return host === undefined || host === machine.host ? undefined : carrier.placeOf(host);
  }

  /** Of a group, whether any host has a member. */
  *probe(entity: EntityId): Task<Probed> {
    const { routes } = this.#parts;
    if (isGroup(entity)) return (yield* this.#askAll(entity)) === undefined ? 'noAnswer' : 'here';
    const heard = routes.of(entity)?.place;
    const known: Finding = heard === undefined ? yield* this.#mintedAt(entity) : { place: heard };
    let code: number = known.code ?? ReplyCode.nonexistentEntity;
    if (known.place !== undefined && known.place !== here) {
      code = yield* this.#ask(entity, known.place);
      if (code === ReplyCode.ok) return 'here';
      routes.forget(entity);
    }
    const place = yield* this.#askAll(entity);
    if (place !== undefined) return 'here';
    return code === ReplyCode.retransmissionTimeout ? 'noAnswer' : 'nonexistent';
  }

  /** The place of the host whose address is in the number. */
  *#mintedAt(entity: EntityId): Task<Finding> {
    const { carrier, machine } = this.#parts;
    const host = internetHost(addressOf(entity));
    if (host === undefined) return { code: ReplyCode.retransmissionTimeout };
    if (host === machine.host) return { place: here };
    const known = carrier.placeOf(host);
    if (known !== undefined) return { place: known };
    try {
      return { place: yield* carrier.locate(host) };
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return { code: ReplyCode.retransmissionTimeout };
    }
  }

  /** Asks one host's manager. Returns the outcome. */
  *#ask(entity: EntityId, place: Place): Task<number> {
    const { take, giveBack, routes } = this.#parts;
    const record = take();
    try {
      const m = probeEntity.request.encode({ coResident: entity, entity, authDomain: 0 });
      const options = { route: routes.at(place), settled: true };
      const ending = yield* record.transact(vmtpManagerGroup, m, options);
      return codeOf(ending.message);
    } finally {
      giveBack(record);
    }
  }

  /** Asks all managers. Returns the place of the one that has it. */
  *#askAll(entity: EntityId): Task<Place | undefined> {
    const { take, giveBack, carrier, counters, routes } = this.#parts;
    counters.probes++;
    const record = take();
    try {
      const m = probeEntity.request.encode({ coResident: entity, entity, authDomain: 0 });
      const route = routes.at(carrier.groupPlace(vmtpManagerGroup));
      const options = { route, settled: true, multicast: true, retries: probeRetries };
      const ending = yield* record.transact(vmtpManagerGroup, m, options);
      if (codeOf(ending.message) !== ReplyCode.ok || ending.place === undefined) return undefined;
      routes.answered(entity, ending.place);
      return ending.place;
    } finally {
      giveBack(record);
    }
  }
}
