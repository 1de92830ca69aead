/**
 * Numbers of entities, in the form of RFC 1045, section 3.1 and appendix IV.1 (domain 1):
 *
 *   type 4 bits | discriminator 28 bits | internet address 32 bits
 *
 *   an entity            type 0, the host that minted it
 *   a group              type 6 (a group that anybody may join), the host that minted it
 *   a well-known group   type 6, discriminator n, address 239.1.0.n
 *
 * The RFC takes discriminators from a clock of seconds that is never set back, so that a host may mint one number each
 * second. Here each second has room for `numbersPerSecond`, counted from the boot identifier, which is such a clock: a
 * number is not minted while a next boot could begin below it, so that no two boots mint the same; and numbers begin again
 * after 36 hours, those that are still attached here left out. In so long a time a host cannot know what became of a number
 * that has moved away: a host of which entities move out and live for 36 hours might mint one of them again.
 */
import { CLUSTER_EPOCH_SECONDS } from '@backplane/engine';
import {
  type EntityId,
  entityId,
  type HostId,
  internetAddress,
  internetHost,
  type Machine,
} from '@backplane/slots';
import { asIpv4 } from '@backplane/wire';
import { noSuchGroup, numbersExhausted } from './errors.ts';

const numbersPerSecond = 2048;
const discriminators = 0x1000_0000;

const entityType = 0;
const groupType = 6;
const wellKnownNetwork = 0xef01_0000;
const wellKnownMax = 255;

const numberOf = (type: number, discriminator: number, address: number): EntityId =>
  entityId(
    type.toString(16) + discriminator.toString(16).padStart(7, '0') + address.toString(16).padStart(8, '0'),
  );

/** Who minted it: the first place to look. Undefined for a number of which no host can be read. */
export const mintedBy = (e: EntityId): HostId | undefined =>
  internetHost(asIpv4(Number.parseInt(e.slice(8), 16)));

export class Numbers {
  readonly #machine: Machine;
  readonly #isHere: (e: EntityId) => boolean;
  #minted = 0;

  constructor(machine: Machine, isHere: (e: EntityId) => boolean) {
    this.#machine = machine;
    this.#isHere = isHere;
  }

  /** @throws BackplaneError `NUMBERS_EXHAUSTED` */
  mint(): EntityId {
    return this.#next(entityType);
  }

  /** @throws BackplaneError `NUMBERS_EXHAUSTED` */
  mintGroup(): EntityId {
    return this.#next(groupType);
  }

  /** @throws BackplaneError `NO_SUCH_GROUP` */
  wellKnownGroup(number: number): EntityId {
    if (!Number.isInteger(number) || number < 1 || number > wellKnownMax)
      throw noSuchGroup(this.#machine.name, number, wellKnownMax);
    return numberOf(groupType, number, wellKnownNetwork + number);
  }

  #next(type: number): EntityId {
    const { bootId, engine, host, name } = this.#machine;
    const nextBootId = Math.max(bootId + 1, CLUSTER_EPOCH_SECONDS + Math.floor(engine.nowNs / 1e9));
    for (;;) {
      const at = bootId * numbersPerSecond + this.#minted;
      if (at >= nextBootId * numbersPerSecond) throw numbersExhausted(name, numbersPerSecond);
      this.#minted++;
      const e = numberOf(type, at % discriminators, internetAddress(host));
      if (!this.#isHere(e)) return e;
    }
  }
}
