/** Several entities as the segment of a message: their sixteen digits one after the other. */
import { type EntityId, entityId } from '@backplane/slots';
import { decodeUtf8, encodeUtf8 } from '@backplane/wire';

const digits = 16;

export const entityList = (entities: Iterable<EntityId>): Uint8Array => encodeUtf8([...entities].join(''));

/** What is cut off at the end is left out. */
export function entitiesIn(bytes: Uint8Array): readonly EntityId[] {
  const text = decodeUtf8(bytes);
  return Array.from({ length: Math.floor(text.length / digits) }, (_, i) =>
    entityId(text.slice(i * digits, (i + 1) * digits)),
  );
}
