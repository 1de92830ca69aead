/**
 * The code of a program, as a native of V: what its library does before the program proper and after it. The parent's name
 * cache goes along as a copy, as V's programs got it with their environment.
 */
import type { Task } from '@backplane/engine';
import {
  KernelError,
  type Program as Main,
  type NameView,
  type NativeSelf,
  type NativeText,
} from '@backplane/slots';
import { environmentAddress } from '@backplane/v-operations';
import { RuntimeCalls } from './calls.ts';
import { decodeEnvironment } from './environment.ts';
import type { Library } from './library.ts';
import { Program } from './program.ts';

/** @param view the parent's: copied when the program starts */
export function textOf(library: Library, main: Main, view: NameView): NativeText {
  return function* text(self: NativeSelf): Task<number> {
    if (self.memory === null) throw new KernelError('badArgument', 'a program without memory');
    const environment = decodeEnvironment(yield* self.memory.read(environmentAddress, self.argument));
    const program = new Program(library.at(self.host), self, view.inherit(), environment);
    try {
      yield* program.inherit(environment.open);
      const childText = (child: Main): NativeText => textOf(library, child, program.view);
      return yield* main(new RuntimeCalls(program, childText));
    } finally {
      yield* program.closeAll();
    }
  };
}
