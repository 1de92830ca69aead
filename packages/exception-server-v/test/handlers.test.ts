import { entityId, noEntity } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { Handlers } from '../src/handlers.ts';

const [p, q, mine, programs, everybodys] = ['1', '2', '3', '4', '5'].map((n) =>
  entityId(n.padStart(16, '0')),
);
if (!p || !q || !mine || !programs || !everybodys) throw new Error('five entities');

describe('the handlers of exceptions', () => {
  it('are asked from the closest to the widest', () => {
    const handlers = new Handlers();
    handlers.set(noEntity, 0, everybodys);
    handlers.set(noEntity, 7, programs);
    handlers.set(p, 7, mine);
    expect(handlers.of(p, 7)).toEqual([mine, programs, everybodys]);
    expect(handlers.of(q, 7)).toEqual([programs, everybodys]);
    expect(handlers.of(q, 8)).toEqual([everybodys]);
    expect(handlers.count).toBe(3);
  });

  it('are forgotten everywhere when they are gone', () => {
    const handlers = new Handlers();
    handlers.set(p, 7, mine);
    handlers.set(noEntity, 7, mine);
    handlers.set(noEntity, 0, mine);
    handlers.drop(mine);
    expect([handlers.of(p, 7), handlers.count]).toEqual([[], 0]);
  });
});
