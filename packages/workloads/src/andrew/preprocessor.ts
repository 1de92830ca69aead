/**
 * The C preprocessor, as far as files go: it follows includes, and skips what guards and conditions leave out. Macros are
 * known by name only and nothing is expanded.
 */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { decodeUtf8 } from '@backplane/wire';
import { isThere } from '../missing.ts';
import { createFile, type OutputStream, readThrough } from '../stdio.ts';
import { andrewConstants } from './constants.ts';
import { includeDirectory } from './system-files.ts';

export interface PreprocessorOptions {
  /** Directories in which quoted includes are sought after the source's own. */
  readonly includes: readonly string[];
  /** Nanoseconds of this machine for one instruction. */
  readonly instructionNs: number;
}

/** Writes the source and all that it includes into the target. Returns the exit status. */
export function* preprocess(
  sys: Calls,
  source: string,
  target: string,
  o: PreprocessorOptions,
): Task<number> {
  const out = yield* createFile(sys, target);
  yield* include(sys, source, out, new Set(), o);
  yield* out.close();
  return 0;
}

function* include(
  sys: Calls,
  path: string,
  out: OutputStream,
  defined: Set<string>,
  o: PreprocessorOptions,
): Task<void> {
  const text = yield* whole(sys, path);
  yield* sys.compute(text.length * andrewConstants.preprocessInstructionsPerByte.value * o.instructionNs);
  const conditions = new Conditions(defined);
  let at = 0;
  for (let from = nextDirective(text, 0); from >= 0; from = nextDirective(text, at)) {
    if (conditions.met && at < from) yield* out.write(text.subarray(at, from));
    const newline = text.indexOf(newlineCode, from);
    at = newline < 0 ? text.length : newline + 1;
    const [, word = '', rest = ''] = /^\s*#\s*(\w*)\s*(.*)/.exec(decodeUtf8(text.subarray(from, at))) ?? [];
    if (!conditions.note(word, rest) && conditions.met && word === 'include') {
      const found = yield* findInclude(sys, path, rest.trim(), o);
      if (found !== undefined) yield* include(sys, found, out, defined, o);
    }
  }
  if (conditions.met && at < text.length) yield* out.write(text.subarray(at));
}

function* whole(sys: Calls, path: string): Task<Uint8Array> {
  const parts: Uint8Array[] = [];
  const text = new Uint8Array(yield* readThrough(sys, path, (bytes) => parts.push(bytes)));
  let at = 0;
  for (const part of parts) {
    text.set(part, at);
    at += part.length;
  }
  return text;
}

/** Where the next line begins whose first character, blanks aside, is a number sign; -1 when there is none. */
function nextDirective(text: Uint8Array, from: number): number {
  for (let sign = text.indexOf(signCode, from); sign >= 0; sign = text.indexOf(signCode, sign + 1)) {
    let start = sign;
    while (start > from && isBlank(text[start - 1])) start--;
    if (start === from || text[start - 1] === newlineCode) return start;
  }
  return -1;
}

const signCode = 0x23;
const newlineCode = 0x0a;
const isBlank = (code: number | undefined): boolean => code === 0x20 || code === 0x09;

/** The conditions that enclose a line, and the names that they ask for. */
class Conditions {
  readonly #defined: Set<string>;
  /** Innermost last: is the text between them taken? */
  readonly #taken: boolean[] = [];

  constructor(defined: Set<string>) {
    this.#defined = defined;
  }

  get met(): boolean {
    return !this.#taken.includes(false);
  }

  /** False for a directive that is neither a condition nor a definition. */
  note(word: string, rest: string): boolean {
    const name = /^\w+/.exec(rest)?.[0] ?? '';
    if (word === 'ifdef') this.#taken.push(this.#defined.has(name));
    else if (word === 'ifndef') this.#taken.push(!this.#defined.has(name));
    else if (word === 'if') this.#taken.push(rest.trim() !== '0');
    else if (word === 'else') this.#taken.push(!(this.#taken.pop() ?? false));
    else if (word === 'endif') this.#taken.pop();
    else if (word === 'define' && this.met) this.#defined.add(name);
    else return false;
    return true;
  }
}

/** Where an include lies: "x.h" beside the source and in the given directories, <x.h> on the system. Undefined if nowhere. */
function* findInclude(
  sys: Calls,
  from: string,
  named: string,
  o: PreprocessorOptions,
): Task<string | undefined> {
  const name = named.slice(1, -1);
  const beside = from.slice(0, from.lastIndexOf('/'));
  const places = named.startsWith('"') ? [beside, ...o.includes, includeDirectory] : [includeDirectory];
  for (const place of places) {
    const path = `${place}/${name}`;
    if (yield* isThere(sys.access(path, { read: true }))) return path;
  }
  return undefined;
}
