/**
 * A C compiler as 4.3BSD had it, seen from outside: preprocessor, compiler, optimiser, assembler, each a process that reads
 * its input by 1 KB, computes, and writes a temporary file for the next. The preprocessor is real as far as files go:
 * it follows includes and guards. The others make real bytes that depend on all of their input; that they are no code for
 * a Sun does not matter to a file system.
 *
 * Processor time is charged by byte. The proportions of the passes are a guess; the sum is fitted to the published 249
 * seconds of the whole benchmark on a local disk.
 */
import type { Task } from '@backplane/engine';
import { type Calls, isKernelError, type Program } from '@backplane/slots';
import { decodeUtf8, encodeUtf8 } from '@backplane/wire';
import { createFile, type OutputStream, readThrough } from '../stdio.ts';
import type { Commands } from './commands.ts';
import { includeDirectory } from './system-files.ts';

/** Instructions for one byte of input, by pass. Their sum is fitted; see above. */
const instructionsPerByte = { preprocess: 12, compile: 59, optimise: 36, assemble: 31, link: 5 };
type Pass = keyof typeof instructionsPerByte;

/** Bytes of output for one of input. */
const outputShare: { readonly [P in Exclude<Pass, 'preprocess' | 'link'>]: number } = {
  compile: 0.55,
  optimise: 0.82,
  assemble: 0.4,
};

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
  yield* commands.run(sys, '/lib/cpp', preprocessor(source, text, o));
  yield* commands.run(sys, '/lib/ccom', filter('compile', text, assembly, o));
  yield* commands.run(sys, '/lib/c2', filter('optimise', assembly, better, o));
  yield* commands.run(sys, '/bin/as', filter('assemble', better, object, o, 2));
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
      yield* ld.compute(size * instructionsPerByte.link * o.instructionNs);
    }
    const out = yield* createFile(ld, program);
    yield* emit(out, digest, Math.floor(total / 3));
    yield* out.close();
    return 0;
  });
  return 0;
}

// ---- the preprocessor

const preprocessor = (source: string, target: string, o: CompilerOptions): Program =>
  function* (sys) {
    const out = yield* createFile(sys, target);
    const defined = new Set<string>();
    yield* include(sys, source, out, defined, o);
    yield* out.close();
    return 0;
  };

function* include(
  sys: Calls,
  path: string,
  out: OutputStream,
  defined: Set<string>,
  o: CompilerOptions,
): Task<void> {
  const parts: Uint8Array[] = [];
  const size = yield* readThrough(sys, path, (bytes) => parts.push(bytes));
  yield* sys.compute(size * instructionsPerByte.preprocess * o.instructionNs);
  const text = decodeUtf8(joined(parts, size));
  /** Conditions that enclose the line, innermost last: is the text between them taken? */
  const taken: boolean[] = [];
  let kept = '';
  for (const line of text.split('\n')) {
    const directive = /^\s*#\s*(\w+)\s*(.*)$/.exec(line);
    const active = taken.every((t) => t);
    if (directive === null) {
      if (active) kept += `${line}\n`;
      continue;
    }
    const [, word = '', rest = ''] = directive;
    const name = /^\w+/.exec(rest)?.[0] ?? '';
    if (word === 'ifdef') taken.push(defined.has(name));
    else if (word === 'ifndef') taken.push(!defined.has(name));
    else if (word === 'if') taken.push(rest.trim() !== '0');
    else if (word === 'else') taken.push(!(taken.pop() ?? false));
    else if (word === 'endif') taken.pop();
    else if (active && word === 'define') defined.add(name);
    else if (active && word === 'include') {
      yield* out.write(encodeUtf8(kept));
      kept = '';
      const found = yield* findInclude(sys, path, rest.trim(), o);
      if (found !== undefined) yield* include(sys, found, out, defined, o);
    }
  }
  yield* out.write(encodeUtf8(kept));
}

/** Where an include lies: "x.h" beside the source and in the given directories, <x.h> on the system. Undefined if nowhere. */
function* findInclude(sys: Calls, from: string, named: string, o: CompilerOptions): Task<string | undefined> {
  const name = named.slice(1, -1);
  const beside = from.slice(0, from.lastIndexOf('/'));
  const places = named.startsWith('"') ? [beside, ...o.includes, includeDirectory] : [includeDirectory];
  for (const place of places) {
    try {
      yield* sys.access(`${place}/${name}`, { read: true });
      return `${place}/${name}`;
    } catch (e) {
      if (!isKernelError(e, 'notFound') && !isKernelError(e, 'notDirectory')) throw e;
    }
  }
  return undefined;
}

// ---- the other passes

/** A process that reads its input (so many times) and writes a part of what it reads in another form. */
const filter = (
  pass: keyof typeof outputShare,
  input: string,
  output: string,
  o: CompilerOptions,
  readings = 1,
): Program =>
  function* (sys) {
    const digest = new Digest();
    let size = 0;
    for (let reading = 0; reading < readings; reading++) {
      size = yield* readThrough(sys, input, (bytes) => digest.add(bytes));
      yield* sys.compute((size * instructionsPerByte[pass] * o.instructionNs) / readings);
    }
    const out = yield* createFile(sys, output);
    yield* emit(out, digest, Math.floor(size * outputShare[pass]));
    yield* out.close();
    return 0;
  };

/** 32 bits that depend on every byte: FNV-1a, with a multiplication that is the same on every machine. */
class Digest {
  #state = 0x811c9dc5;

  add(bytes: Uint8Array): void {
    let state = this.#state;
    for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193);
    this.#state = state;
  }

  next(): number {
    this.#state = Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x297a2d39;
    return this.#state >>> 0;
  }
}

const instructions = ['movl', 'addl', 'subl', 'cmpl', 'lea', 'jsr', 'tstl', 'andl'];

/** Lines of something like assembler. */
function* emit(out: OutputStream, digest: Digest, sizeBytes: number): Task<void> {
  let left = sizeBytes;
  while (left > 0) {
    let block = '';
    while (block.length < 1024) {
      const n = digest.next();
      block += `\t${instructions[n % 8]}\td${(n >>> 3) % 8},a6@(-${(n >>> 6) % 1024})\n`;
    }
    const bytes = encodeUtf8(block).subarray(0, left);
    yield* out.write(bytes);
    left -= bytes.length;
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
