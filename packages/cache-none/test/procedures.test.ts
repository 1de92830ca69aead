import { Engine } from '@backplane/engine';
import type { FileProtocol, Naming, Procedure, Storage, Streams, Transport } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { noCache } from '../src/index.ts';

/** The board over a transport that only takes down what is served. */
function served(storages: ReadonlyMap<string, Storage>): {
  readonly procedures: readonly Procedure<unknown, unknown>[];
  readonly protocols: readonly string[];
  readonly exported: readonly string[];
} {
  const procedures: Procedure<unknown, unknown>[] = [];
  const protocols: string[] = [];
  const exported: string[] = [];
  const undo = (): void => {};
  const transport = {
    maxDataBytes: 16_384,
    serve: (p: Procedure<unknown, unknown>) => {
      procedures.push(p);
      return undo;
    },
    peers: { onDead: () => undo },
  } as unknown as Transport;
  const machine = testMachine();
  const board = noCache();
  const granted = {
    transport,
    naming: {
      export(e: { readonly prefix: string }) {
        exported.push(e.prefix);
        return undo;
      },
    } as unknown as Naming,
    streams: {
      protocol(p: FileProtocol) {
        protocols.push(p.protocol);
        return undo;
      },
    } as unknown as Streams,
    storage: storages,
    recovery: undefined,
    wrapped: new Map(),
  };
  const made = board.create(granted as never, machine);
  const start = board.start?.(made);
  if (start !== undefined) machine.scope.spawn('start', start);
  machine.engine.run();
  return { procedures, protocols, exported };
}

const storage = (domain: number): Storage =>
  ({ domain, root: { domain, number: 1, generation: 1 }, *recover() {} }) as unknown as Storage;

describe('a file protocol without caches', () => {
  it('serves nothing where there is no storage', () => {
    expect(served(new Map())).toEqual({ procedures: [], protocols: ['none'], exported: [] });
  });

  it('exports each storage under the name of its instance, a single one as the root', () => {
    expect(served(new Map([['storage', storage(0)]])).exported).toEqual(['/']);
    expect(
      served(
        new Map([
          ['/', storage(0)],
          ['/src', storage(1)],
        ]),
      ).exported,
    ).toEqual(['/', '/src']);
  });

  it('refuses two storages with one domain number, naming the remedy', () => {
    const twice = new Map([
      ['/', storage(0)],
      ['/src', storage(0)],
    ]);
    expect(() => served(twice)).toThrowError(expect.objectContaining({ code: 'DOMAIN_TWICE' }));
  });

  it('serves each procedure under a number of its own, from 96 to 118', () => {
    const ids = served(new Map([['storage', storage(0)]])).procedures.map((p) => p.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([Math.min(...ids), Math.max(...ids) <= 118]).toEqual([96, true]);
  });

  it('never throws on bytes that somebody else made', () => {
    const random = new Engine({ seed: 9 }).random('fuzz');
    const bytes = (n: number): Uint8Array => new Uint8Array(n).map(() => random.below(256));
    let decoded = 0;
    for (const p of served(new Map([['storage', storage(0)]])).procedures) {
      for (let i = 0; i < 200; i++) {
        const payload = { parameters: bytes(random.below(100)), data: bytes(random.below(50)) };
        for (const codec of [p.request, p.reply]) if (codec.decode(payload) !== undefined) decoded++;
      }
    }
    expect(decoded).toBeLessThan(1000);
  });
});
