/** The words of a line: separated by blanks, quoted where they hold some. */
import { BackplaneError } from '@backplane/slots';

export const malformed = (file: string, line: number, what: string, hint: string): BackplaneError =>
  new BackplaneError('MALFORMED_OPERATIONS', { file, line }, `${file}:${line}: ${what}`, hint);

/** Splits at a separator that stands outside of quotes. */
export function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** A comment goes from "#" at the start or after a blank to the end of the line. */
export function withoutComment(line: string): string {
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"') quoted = !quoted;
    else if (line[i] === '#' && !quoted && (i === 0 || /\s/.test(line[i - 1] ?? ''))) return line.slice(0, i);
  }
  return line;
}

/** The words of one operation, taken one after the other. */
export class Words {
  readonly #words: readonly string[];
  readonly #file: string;
  readonly #line: number;
  #next = 0;

  constructor(text: string, file: string, line: number) {
    this.#words = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? '');
    this.#file = file;
    this.#line = line;
  }

  get done(): boolean {
    return this.#next >= this.#words.length;
  }

  peek(): string | undefined {
    return this.#words[this.#next];
  }

  word(what: string): string {
    const word = this.#words[this.#next++];
    if (word === undefined) throw this.wrong(`${what} is missing.`);
    return word;
  }

  count(what: string): number {
    const text = this.word(what);
    const n = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(n))
      throw this.wrong(`${what} is a whole number, not "${text}".`);
    return n;
  }

  integer(what: string): number {
    const text = this.word(what);
    if (!/^-?\d+$/.test(text)) throw this.wrong(`${what} is a whole number, not "${text}".`);
    return Number(text);
  }

  seconds(what: string): number {
    const text = this.word(what);
    if (!/^\d+(\.\d+)?$/.test(text)) throw this.wrong(`${what} is a number of seconds, not "${text}".`);
    return Number(text);
  }

  octal(what: string, otherwise?: number): number {
    if (this.done && otherwise !== undefined) return otherwise;
    const text = this.word(what);
    if (!/^[0-7]+$/.test(text)) throw this.wrong(`${what} is an octal number, not "${text}".`);
    return Number.parseInt(text, 8);
  }

  /** One printable character, as its byte. */
  byte(what: string): number {
    const text = this.word(what);
    const code = text.length === 1 ? text.charCodeAt(0) : 0;
    if (code < 0x21 || code > 0x7e) throw this.wrong(`${what} is one printable character, not "${text}".`);
    return code;
  }

  choice<C extends string>(what: string, choices: readonly C[]): C {
    const text = this.word(what);
    const found = choices.find((c) => c === text);
    if (found === undefined) throw this.wrong(`${what} is one of ${choices.join(', ')}, not "${text}".`);
    return found;
  }

  end(): void {
    if (!this.done) throw this.wrong(`"${this.#words[this.#next]}" is one word too many.`);
  }

  wrong(what: string, hint = 'docs/operation-files.md lists every operation.'): BackplaneError {
    return malformed(this.#file, this.#line, what, hint);
  }
}
