import { Engine, ms, sleep, type Task } from '@backplane/engine';
import type { Unanswered } from '@backplane/file-service';
import { entityId, KernelError, type Probed } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { reach } from '../src/index.ts';

const manager = entityId('00000000000000aa');

/** What comes of an operation that fails so after some time, when the manager is then found to be so. */
function outcome(error: KernelError, probed: Probed): unknown {
  const engine = new Engine();
  function* ask(): Task<string> {
    yield* sleep(ms(1));
    throw error;
  }
  const by = {
    *probe(): Task<Probed> {
      return probed;
    },
  };
  let came: string | Unanswered | undefined;
  function* asking(): Task<void> {
    came = yield* reach(by, manager, ask());
  }
  engine.root.spawn('asks', asking());
  engine.run();
  return came;
}

describe('an operation at a manager that is not there', () => {
  it('may have been done, however soon that is said, unless nobody can have had it', () => {
    const dead = new KernelError('peerDown');
    const never = new KernelError('peerDown', undefined, true);
    expect(outcome(dead, 'nonexistent')).toEqual({ is: 'stale', perhapsDone: true });
    expect(outcome(never, 'nonexistent')).toEqual({ is: 'stale', perhapsDone: false });
    expect(outcome(dead, 'noAnswer')).toMatchObject({ is: 'unreachable', perhapsDone: true });
    expect(outcome(never, 'noAnswer')).toMatchObject({ is: 'unreachable', perhapsDone: false });
  });
});
