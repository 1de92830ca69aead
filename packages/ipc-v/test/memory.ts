/** Memory for tests, in small pages. */
import { us } from '@backplane/engine';
import { ArrayMemory } from '@backplane/slots/testing';

export class Memory extends ArrayMemory {
  constructor(bytes: number, accessNs: number = us(5)) {
    super(bytes, { pageBytes: 1024, accessNs });
  }
}
