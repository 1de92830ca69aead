/** The board for slot `cleaner` that offers nothing: a log that is appended to until it is full. */
import {
  type CleaningPolicy,
  type Component,
  defineComponent,
  type LiveBlock,
  type SegmentState,
} from '@backplane/slots';
import { version } from './version.ts';

export const noCleaner: Component<'cleaner'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/cleaner-none',
  version,
  slot: 'cleaner',
  contract: 1,
  requires: [],
  create: () => new Nothing(),
});

class Nothing implements CleaningPolicy {
  choose(): readonly SegmentState[] {
    return [];
  }

  arrange<B extends LiveBlock>(blocks: readonly B[]): readonly B[] {
    return blocks;
  }
}
