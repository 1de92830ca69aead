/**
 * A C compiler as 4.3BSD had it, seen from outside: preprocessor, compiler, optimiser, assembler, each a process that reads
 * its input by 1 KB, computes, and writes a temporary file for the next. The preprocessor is real as far as files go. The
 * others make real bytes that depend on all of their input; that they are no code for a Sun does not matter to a file
 * system.
 *
 * Processor time is charged by byte.
 */
import type { Task } from '@backplane/engine';
import type { Calls, Program } from '@backplane/slots';
import { encodeUtf8 } from '@backplane/wire';
import { createFile, type OutputStream, readThrough, stdioBytes } from '../stdio.ts';
import type { Commands } from './commands.ts';
import { andrewConstants as costs } from './constants.ts';
import { preprocess } from './preprocessor.ts';

type Pass = 'compile' | 'optimise' | 'assemble';

/** Bytes of output for one of input: guesses. */
const outputShare: { readonly [P in Pass]: number } = { compile: 0.55, optimise: 0.82, assemble: 0.4 };

export interface CompilerOptions {
  /** Directories in which quoted includes are sought after the source's own. */
  readonly includes: readonly string[];
  /** Nanoseconds of this machine for one instruction. */
  readonly instructionNs: number;
  readonly commands: Commands;
}

/** cc -c: four processes, one after the other, and their temporary files. */
export function* compile(
  sys: Calls,
  source: string,
  object: string,
  temporary: string,
  o: CompilerOptions,
): Task<number> {
  const { commands } = o;
  const [text, assembly, better] = [`${temporary}.i`, `${temporary}.s`, `${temporary}.o.s`];
  yield* commands.run(sys, '/lib/cpp', (cpp) => preprocess(cpp, source, text, o));
  yield* commands.run(sys, '/lib/ccom', filter('compile', text, assembly, o));
  yield* commands.run(sys, '/lib/c2', filter('optimise', assembly, better, o));
  yield* commands.run(sys, '/bin/as', filter('assemble', better, object, o));
  for (const path of [text, assembly, better]) yield* sys.unlink(path);
  return 0;
}

/** cc without -c, of objects: ld, which reads every object and the library, and writes the program. */
export function* link(
  sys: Calls,
  objects: readonly string[],
  library: string,
  program: string,
  o: CompilerOptions,
): Task<number> {
  yield* o.commands.run(sys, '/bin/ld', function* (ld) {
    const digest = new Digest();
    let total = 0;
    for (const path of [...objects, library]) {
      const size = yield* readThrough(ld, path, (bytes) => digest.add(bytes));
      total += size;
      yield* ld.compute(size * costs.linkInstructionsPerByte.value * o.instructionNs);
    }
    const out = yield* createFile(ld, program);
    yield* emit(out, digest, Math.floor(total / 3));
    yield* out.close();
    return 0;
  });
  return 0;
}

// ---- the other passes

/** A process that reads its input, and writes a part of what it read in another form. */
const filter = (pass: Pass, input: string, output: string, o: CompilerOptions): Program =>
  function* (sys) {
    const digest = new Digest();
    const size = yield* readThrough(sys, input, (bytes) => digest.add(bytes));
    yield* sys.compute(size * costs[`${pass}InstructionsPerByte`].value * o.instructionNs);
    const out = yield* createFile(sys, output);
    yield* emit(out, digest, Math.floor(size * outputShare[pass]));
    yield* out.close();
    return 0;
  };

/** 32 bits that depend on every byte: FNV-1a over words, with a multiplication that is the same on every machine. */
class Digest {
  #state = 0x811c9dc5;

  add(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const words = bytes.length - (bytes.length % 4);
    let state = this.#state;
    for (let i = 0; i < words; i += 4) state = Math.imul(state ^ view.getInt32(i), 0x01000193);
    for (let i = words; i < bytes.length; i++) state = Math.imul(state ^ (bytes[i] ?? 0), 0x01000193);
    this.#state = state;
  }

  next(): number {
    this.#state = Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x297a2d39;
    return this.#state >>> 0;
  }
}

/** Kilobytes of lines of something like assembler, made once; programs differ in which of them they are made of. */
const passages: readonly Uint8Array[] = (() => {
  const mnemonics = ['movl', 'addl', 'subl', 'cmpl', 'lea', 'jsr', 'tstl', 'andl'];
  const digest = new Digest();
  return Array.from({ length: 64 }, () => {
    let text = '';
    while (text.length < stdioBytes) {
      const n = digest.next();
      text += `\t${mnemonics[n % 8]}\td${(n >>> 3) % 8},a6@(-${(n >>> 6) % 1024})\n`;
    }
    return encodeUtf8(text);
  });
})();

/** So many bytes of assembler that depend on what was read: its digest in a comment, then passages that it chooses. */
function* emit(out: OutputStream, digest: Digest, sizeBytes: number): Task<void> {
  const comment = encodeUtf8(`|${digest.next().toString(16)}\n`);
  yield* out.write(comment.subarray(0, sizeBytes));
  for (let left = sizeBytes - comment.length; left > 0; ) {
    const passage = passages[digest.next() % passages.length] ?? comment;
    yield* out.write(passage.subarray(0, left));
    left -= passage.length;
  }
}
