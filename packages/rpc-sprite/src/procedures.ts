/** The transport's own procedures (`src/kernel/rpc/rpcStubs.c`). */
import { CLUSTER_EPOCH_SECONDS, type Engine, type Task } from '@backplane/engine';
import type { ServedProcedures } from '@backplane/rpc-service';
import { inParameters, noPayload, type Payload, type PayloadCodec, type Procedure } from '@backplane/slots';
import { i32, type Layout, layout, u32 } from '@backplane/wire';
import { procedures } from './layout.ts';

const untouched: PayloadCodec<Payload> = { encode: (value) => value, decode: (payload) => payload };

/** Sends back what came: for pings and measurements. */
export const echo: Procedure<Payload, Payload> = {
  id: procedures.echo2,
  name: 'echo',
  request: untouched,
  reply: untouched,
};

/** Swallows what came: for measurements. */
export const send: Procedure<Payload, null> = {
  id: procedures.send,
  name: 'send',
  request: untouched,
  reply: noPayload,
};

export interface ClockTime {
  /** Since 1970. */
  readonly seconds: number;
  readonly microseconds: number;
  /** Minutes of the local time zone east of Greenwich. */
  readonly offsetMinutes: number;
  readonly daylightSaving: number;
}

const clockTime: Layout<ClockTime> = /* @__PURE__ */ layout('spriteRpc.time', {
  seconds: u32(),
  microseconds: u32(),
  offsetMinutes: i32(),
  daylightSaving: u32(),
});

/** What a booting host asks everybody, to set its clock. */
export const getTime: Procedure<null, ClockTime> = {
  id: procedures.getTime,
  name: 'get time',
  request: noPayload,
  reply: /* @__PURE__ */ inParameters(clockTime),
};

/** Executing them twice does no harm, so any life of a host may: also for a caller that does not know its own life yet. */
export const isHarmless = (command: number): boolean =>
  command === procedures.echo2 || command === procedures.send || command === procedures.getTime;

export function serveOwn(served: ServedProcedures, engine: Engine): void {
  served.serve(echo, function* (payload): Task<Payload> {
    return payload;
  });
  served.serve(send, function* (): Task<null> {
    return null;
  });
  served.serve(getTime, function* (): Task<ClockTime> {
    const { nowNs } = engine;
    return {
      seconds: CLUSTER_EPOCH_SECONDS + Math.floor(nowNs / 1e9),
      microseconds: Math.floor((nowNs % 1e9) / 1000),
      offsetMinutes: 0,
      daylightSaving: 0,
    };
  });
}
