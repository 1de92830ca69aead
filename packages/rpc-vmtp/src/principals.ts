/**
 * Who answers for an entity, where nobody proves who it is: the host that made its number. Managers trust managers: the
 * signature that the RFC reserves for what they ask each other is not defined.
 */
import type { EntityId } from '@backplane/slots';
import { addressOf, discriminatorOf, managerDiscriminator, typeOf } from './numbers.ts';

/** Of any host. */
export const isManager = (e: EntityId): boolean =>
  typeOf(e) === 0 && discriminatorOf(e) === managerDiscriminator;
export const samePrincipal = (a: EntityId, b: EntityId): boolean => addressOf(a) === addressOf(b);
