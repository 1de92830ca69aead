/** The part of the storage contract that operations are made of. The model has it, too. */
import type { Storage } from '@backplane/slots';

export type Files = Pick<
  Storage,
  | 'root'
  | 'attributes'
  | 'setAttributes'
  | 'read'
  | 'write'
  | 'truncate'
  | 'lookup'
  | 'entries'
  | 'create'
  | 'link'
  | 'unlink'
  | 'rename'
  | 'reclaim'
  | 'sync'
  | 'clean'
  | 'checkpoint'
>;
