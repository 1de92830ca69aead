/** The time server: the clock, and delays that others can end. */
import { WaitQueue } from '@backplane/engine';
import type { EntityId } from '@backplane/slots';
import { delay, getTime, Operations, setTime, slewTime, wake } from '@backplane/v-operations';
import type { Clock } from './clock.ts';

export function timeServer(clock: Clock): Operations {
  const delaying = new Map<EntityId, WaitQueue<true>>();
  return new Operations()
    .on(getTime, function* () {
      return { nowNs: clock.nowNs };
    })
    .on(setTime, function* ({ nowNs }) {
      clock.nowNs = nowNs;
      return {};
    })
    .on(slewTime, function* ({ microseconds }) {
      clock.slew(microseconds * 1000);
      return {};
    })
    .on(delay, function* ({ spanNs }, { from }) {
      const waiting = new WaitQueue<true>();
      // A process sends one message at a time, so it is in one delay at most.
      delaying.set(from, waiting);
      try {
        return { woken: (yield* waiting.wait(spanNs)) === true ? 1 : 0 };
      } finally {
        if (delaying.get(from) === waiting) delaying.delete(from);
      }
    })
    .on(wake, function* ({ process }) {
      const waiting = delaying.get(process);
      waiting?.wakeAll(true);
      return { woken: waiting === undefined ? 0 : 1 };
    });
}
