import { settle, type Task, type TraceEvent } from '@backplane/engine';
import { hostId, inParameters, KernelError, type Payload, type Procedure, silent } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { layout, u32 } from '@backplane/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { echoes, errorOf, nothing, other, payload, work } from '../src/testing.ts';
import { type Host, Line, passNs, traits } from './line.ts';

const number = inParameters(layout('number', { value: u32() }));
const double: Procedure<{ value: number }, { value: number }> = {
  id: 200,
  name: 'double',
  request: number,
  reply: number,
};

let line: Line;
let a: Host;
let b: Host;

beforeEach(() => {
  line = new Line();
  a = line.host();
  b = line.host();
});

describe('a typed call', () => {
  it('carries values as bytes', () => {
    b.transport.serve(double, function* ({ value }, from) {
      expect(from).toEqual({ host: a.id, bootId: a.bootId });
      return { value: 2 * value };
    });
    expect(line.drive(a, a.transport.call(b.id, double, { value: 21 }))).toEqual({ value: 42 });
    expect([a.machine.metric('rpc.calls'), b.machine.metric('rpc.served')]).toEqual([1, 1]);
  });

  it('pays for the path on both sides, and for nothing else', () => {
    b.transport.serve(work, function* (asked): Task<Payload> {
      yield* settle();
      return asked;
    });
    line.drive(a, a.transport.call(b.id, work, nothing));
    expect(line.engine.nowNs).toBe(2 * (passNs + traits.pathNs));
  });

  it('fails when the reply is no value of the type', () => {
    echoes(b.transport);
    const wrong: typeof double = { ...double, id: work.id, request: { ...number, encode: () => nothing } };
    expect(line.drive(a, kindOf(a.transport.call(b.id, wrong, { value: 1 })))).toBe('ioError');
  });

  it('may be as large as the limits say, and no larger', () => {
    echoes(b.transport);
    expect([a.transport.maxParametersBytes, a.transport.maxDataBytes]).toEqual([1024, 2000]);
    line.drive(a, a.transport.call(b.id, work, payload(1024, 2000)));
    const call = (request: Payload) => () => line.drive(a, a.transport.call(b.id, work, request));
    expect(errorOf(call(payload(1025, 0))).data).toMatchObject({ board: 'a line', parametersBytes: 1025 });
    const { code, message } = errorOf(call(payload(0, 2001)));
    expect([code, message]).toEqual(['MESSAGE_TOO_LARGE', expect.stringContaining('at most 1024 and 2000')]);
  });

  it('stops the run when a reply is too large', () => {
    b.transport.serve(work, function* (): Task<Payload> {
      return payload(0, 2001);
    });
    const call = (): unknown => line.drive(a, a.transport.call(b.id, work, nothing));
    expect(errorOf(call).data).toMatchObject({ what: 'the reply of work', dataBytes: 2001 });
  });
});

describe('a question to everybody', () => {
  it('brings the answers that decode; the others are counted', () => {
    const c = line.host();
    b.transport.serve(double, function* ({ value }) {
      return { value: 2 * value };
    });
    c.transport.serve({ ...work, id: double.id }, function* (): Task<Payload> {
      return nothing;
    });
    const asked = a.transport.ask(double, { value: 4 }, { windowNs: 10, enough: 9 });
    expect(line.drive(a, asked)).toEqual([{ from: b.id, reply: { value: 8 } }]);
    expect(a.machine.metric('rpc.malformed')).toBe(1);
  });
});

describe('a call to oneself', () => {
  it('runs the handler without the network, and charges the copies', () => {
    const c = line.host({ copyNsPerByte: 100 });
    c.transport.serve(work, function* (asked, from): Task<Payload> {
      expect(from).toEqual({ host: c.id, bootId: c.bootId });
      return { parameters: asked.parameters, data: asked.data.subarray(0, 10) };
    });
    const body = function* (): Task<Payload> {
      const reply = yield* c.transport.call(c.id, work, payload(20, 900));
      yield* settle();
      return reply;
    };
    expect(line.drive(c, body()).data).toHaveLength(10);
    expect(line.engine.nowNs).toBe(100 * (920 + 30));
    expect([c.machine.metric('rpc.calls'), c.machine.metric('rpc.localCalls')]).toEqual([0, 1]);
  });

  it('fails as a call to another host does', () => {
    const number1 = { ...double, id: 122 };
    a.transport.serve(other, function* (): Task<typeof silent> {
      return silent;
    });
    a.transport.serve(work, function* (): Task<Payload> {
      throw new KernelError('notFound');
    });
    a.transport.serve(number1, function* (value) {
      return value;
    });
    for (const host of [a, b]) {
      const call = (id: number): string =>
        line.drive(host, kindOf(host.transport.call(a.id, { ...work, id }, nothing)));
      expect([99, other.id, work.id, number1.id].map(call)).toEqual([
        'unsupported',
        'noAnswer',
        'notFound',
        'badArgument',
      ]);
    }
  });

  it('obeys the limits', () => {
    a.transport.serve(work, function* (): Task<Payload> {
      return payload(1025, 0);
    });
    const call = (request: Payload) => () => line.drive(a, a.transport.call(a.id, work, request));
    expect(errorOf(call(payload(0, 3000))).data['what']).toBe('the request of work');
    expect(errorOf(call(nothing)).data['what']).toBe('the reply of work');
  });
});

describe('served procedures', () => {
  const handler = function* (): Task<Payload> {
    return nothing;
  };

  it('have one handler each, until that is taken back', () => {
    const undo = a.transport.serve(work, handler);
    const { code, data } = errorOf(() => a.transport.serve({ ...other, id: work.id }, handler));
    expect([code, data['name'], data['other']]).toEqual(['PROCEDURE_TAKEN', 'other', 'work']);
    undo();
    undo();
    a.transport.serve({ ...other, id: work.id }, handler);
    undo(); // which is no longer about this one
    expect(a.procedures.get(work.id)?.procedure.name).toBe('other');
  });

  it('may not have numbers that the protocol keeps', () => {
    expect(errorOf(() => a.transport.serve({ ...work, id: 7 }, handler)).data['other']).toBe('seven');
  });
});

describe('a request', () => {
  it('is traced when its handler is about to run, and when that has ended, one way or another', () => {
    const events: TraceEvent[] = [];
    line.engine.trace.listen(['rpc.serve', 'rpc.served'], (e) => events.push(e));
    echoes(b.transport);
    b.transport.serve(other, function* () {
      throw new KernelError('busy');
    });
    line.drive(b, b.calls.execute(a.id, a.bootId, work.id, 31, nothing));
    line.drive(b, b.calls.execute(a.id, a.bootId, 99, 32, nothing));
    line.drive(b, b.calls.execute(a.id, a.bootId, other.id, 33, nothing));
    const [one, two] = [
      { from: a.id, procedure: work.id, id: 31 },
      { from: a.id, procedure: other.id, id: 33 },
    ];
    expect(events.map((e) => [e.kind, e.fields])).toEqual([
      ['rpc.serve', one],
      ['rpc.served', { ...one, outcome: 'reply' }],
      ['rpc.serve', two],
      ['rpc.served', { ...two, outcome: 'busy' }],
    ]);
  });

  it('is not executed for a life that is over, but is for a client that does not know its life yet', () => {
    echoes(b.transport);
    const outcome = (bootId: number): unknown =>
      line.drive(b, b.calls.execute(a.id, bootId, work.id, 1, nothing));
    expect([outcome(999), outcome(0), outcome(a.bootId)]).toEqual(['over', nothing, nothing]);
  });

  it('of which not even the two areas can be read has wrong arguments', () => {
    echoes(b.transport);
    const outcome = line.drive(b, b.calls.execute(a.id, a.bootId, work.id, 1, undefined));
    expect([outcome, b.machine.metric('rpc.served')]).toEqual(['wrongArguments', 0]);
  });

  it('stops the run when its handler throws anything but a KernelError', () => {
    b.transport.serve(work, function* (): Task<Payload> {
      throw new Error('a mistake');
    });
    expect(() => line.drive(a, a.transport.call(b.id, work, nothing))).toThrow('a mistake');
  });

  it('to a host that is off fails, and its caller takes the host for dead', () => {
    b.on = false;
    expect(line.drive(a, kindOf(a.transport.call(b.id, work, nothing)))).toBe('peerDown');
    expect(a.transport.peers.isAlive(b.id)).toBe(false);
    expect(line.drive(a, kindOf(a.transport.call(hostId(9), work, nothing)))).toBe('peerDown');
  });
});
