import { describe, expect, expectTypeOf, it } from 'vitest';
import { Engine, type TraceEvent } from '../src/index.ts';

declare module '../src/index.ts' {
  interface TraceKinds {
    'test.call': { readonly procedure: string };
    'test.reply': { readonly bytes: number };
  }
}

describe('trace points', () => {
  it('reach who listens to their kind, with time and scope, in order', () => {
    const engine = new Engine();
    const { trace } = engine;
    const client = engine.root.child('client');
    const seen: string[] = [];
    const show = (who: string) => (e: TraceEvent) => {
      seen.push(`${who} ${e.timeNs} ${e.scope.name} ${e.kind} ${JSON.stringify(e.fields)}`);
    };
    trace.listen(['test.call'], show('calls'));
    trace.listen('*', show('all'));
    engine.run(5);
    trace.emit('test.call', client, { procedure: 'read' });
    trace.emit('test.reply', client, { bytes: 7 });
    expect(seen).toEqual([
      'calls 5 client test.call {"procedure":"read"}',
      'all 5 client test.call {"procedure":"read"}',
      'all 5 client test.reply {"bytes":7}',
    ]);
  });

  it('know whether anybody listens', () => {
    const { trace, root } = new Engine();
    expect(trace.on).toBe(false);
    const seen: TraceEvent[] = [];
    const ends = [trace.listen('*', (e) => seen.push(e)), trace.listen(['test.reply'], () => {})];
    expect(trace.on).toBe(true);
    ends[0]?.();
    ends[0]?.();
    expect(trace.on).toBe(true);
    ends[1]?.();
    trace.emit('test.reply', root, { bytes: 1 });
    expect([trace.on, seen]).toEqual([false, []]);
  });

  it('are typed: kind decides the fields', () => {
    const { trace, root } = new Engine();
    // @ts-expect-error: no such kind
    trace.emit('test.nothing', root, {});
    // @ts-expect-error: a call has a procedure
    trace.emit('test.call', root, { bytes: 1 });
    trace.listen(['test.call'], (e) => {
      if (e.kind === 'test.call') expectTypeOf(e.fields.procedure).toBeString();
      else expectTypeOf(e.fields.bytes).toBeNumber();
    });
  });
});
