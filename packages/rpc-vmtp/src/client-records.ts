/** A host's entities as clients. Most packets of responses are for the entity that the one before was for. */
import { type EntityId, noEntity } from '@backplane/slots';
import type { ClientRecord } from './client-record.ts';

export class ClientRecords {
  readonly #records = new Map<EntityId, ClientRecord>();
  /** Who was found last; nobody when that one has left. */
  #last: EntityId = noEntity;
  #lastRecord: ClientRecord | undefined = undefined;

  get(entity: EntityId): ClientRecord | undefined {
    if (entity === this.#last) return this.#lastRecord;
    const record = this.#records.get(entity);
    if (record !== undefined) {
      this.#last = entity;
      this.#lastRecord = record;
    }
    return record;
  }

  set(entity: EntityId, record: ClientRecord): void {
    this.#forgetLast();
    this.#records.set(entity, record);
  }

  delete(entity: EntityId): void {
    this.#forgetLast();
    this.#records.delete(entity);
  }

  #forgetLast(): void {
    this.#last = noEntity;
    this.#lastRecord = undefined;
  }
}
