import { Gate, sleep, type Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { Cluster } from '../src/index.ts';
import { anyType, reading, silence } from './world.ts';

const cluster = (): Cluster =>
  new Cluster({
    medium: silence,
    machines: [{ name: 'mint', type: anyType, role: 'client', kernel: reading }],
  });
const lines = (c: Cluster): readonly string[] => c.machine('mint').board('diary').lines;

describe('the lives of a machine', () => {
  it('makes boards in order of dependency, and starts them in that order under virtual time', () => {
    const c = cluster();
    let startedNs = -1;
    c.drive(
      'test',
      (function* (): Task<void> {
        yield* c.bootAll();
        startedNs = c.engine.nowNs;
      })(),
    );
    expect(lines(c)).toEqual([`create reader of boot ${c.machine('mint').bootId}`, 'create echo']);
    expect(startedNs).toBe(15);
    expect(c.machine('mint').state).toBe('running');
  });

  it('gives every boot new kernel boards over the same hardware, with a higher boot identifier', () => {
    const c = cluster();
    const boots: number[] = [];
    c.drive(
      'test',
      (function* (): Task<void> {
        const mint = c.machine('mint');
        for (let i = 0; i < 2; i++) {
          mint.boot();
          yield* mint.running();
          boots.push(mint.bootId);
          mint.crash();
        }
      })(),
    );
    expect(boots[1]).toBeGreaterThan(boots[0] ?? 0);
    expect(lines(c)).toEqual([
      `create reader of boot ${boots[0]}`,
      'create echo',
      'reset',
      `create reader of boot ${boots[1]}`,
      'create echo',
      'reset',
    ]);
    expect(c.metrics()['reader.boots']).toBe(2);
  });

  it('runs none of the boards’ code in a crash, not even of a boot that has not finished', () => {
    const c = cluster();
    c.drive(
      'test',
      (function* (): Task<void> {
        c.machine('mint').boot();
        yield* sleep(12);
        c.machine('mint').crash();
        yield* sleep(100);
      })(),
    );
    expect(c.machine('mint').state).toBe('off');
    expect(c.metrics()['reader.started']).toBe(1);
    expect(c.metrics()['echo.halts']).toBeUndefined();
  });

  it('lets the boards run their own code in a halt', () => {
    const c = cluster();
    c.drive(
      'test',
      (function* (): Task<void> {
        yield* c.bootAll();
        yield* c.machine('mint').halt();
      })(),
    );
    expect(c.machine('mint').state).toBe('off');
    expect(c.metrics()['echo.halts']).toBe(1);
    expect(lines(c).at(-1)).toBe('reset');
  });

  it('gives what a driver returns, and says so when a driver waits for ever', () => {
    const driven = (name: string, driver: Task<number>): number => cluster().drive(name, driver);
    const seven = function* (): Task<number> {
      yield* sleep(7);
      return 7;
    };
    const patient = function* (): Task<number> {
      yield* new Gate().pass();
      return 8;
    };
    expect(driven('seven', seven())).toBe(7);
    expect(() => driven('patient', patient())).toThrowError(
      expect.objectContaining({ code: 'DRIVER_STUCK', data: { name: 'patient' } }),
    );
  });

  it('names the nearest machine when there is none of that name', () => {
    expect(() => cluster().machine('mind')).toThrowError(
      expect.objectContaining({ code: 'NO_SUCH_MACHINE', hint: 'Did you mean "mint"?' }),
    );
  });

  it('hands out no kernel board while the machine is off', () => {
    expect(() => cluster().machine('mint').board('reader')).toThrowError(
      expect.objectContaining({ code: 'NOT_RUNNING' }),
    );
  });
});
