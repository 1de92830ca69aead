/** Processes of native code, made and started by the process server as programs' are. */
import type { Task } from '@backplane/engine';
import { type EntityId, type IpcProcess, type NativeText, wellKnown } from '@backplane/slots';
import { ask, createProcess, createSpace, priorityOf, startProcess } from '@backplane/v-operations';
import type { World } from './world.ts';

/** A space and one process in it, on the host of `here`. */
export function* startedIn(
  w: World,
  self: IpcProcess,
  here: EntityId,
  text: NativeText,
): Task<{ readonly process: EntityId; readonly space: number; readonly pageBytes: number }> {
  const group = (number: number): EntityId => w.group('mace', number);
  const { space, pageBytes } = yield* ask(
    self,
    group(wellKnown.memoryManagers),
    createSpace,
    { name: 'team' },
    { beside: here },
  );
  const managers = group(wellKnown.processManagers);
  const number = w.cluster.natives.texts.add(text);
  const { process } = yield* ask(
    self,
    managers,
    createProcess,
    { space, text: number, argument: 0, priority: priorityOf('foreground'), name: 'subject' },
    { beside: here },
  );
  yield* ask(self, managers, startProcess, { process }, { beside: here });
  return { process, space, pageBytes };
}
