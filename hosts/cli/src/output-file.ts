/** Files that the options name. Looked at before anything runs; made only when the run begins. */
import { accessSync, closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { usage } from './settings.ts';

/** @throws BackplaneError when no file can be written there */
export function checkWritable(option: string, file: string): void {
  const folder = dirname(file);
  const hint = `${option} ./${option.slice(2)}.out`;
  if (isFolder(file)) throw usage(`${option} ${file}: this is a directory.`, hint);
  if (!isFolder(folder))
    throw usage(`${option} ${file}: there is no directory ${folder}.`, `mkdir -p ${folder}`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw usage(`${option} ${file}: nothing can be written to ${folder}.`, hint);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** `run.pcapng` and 2 make `run.2.pcapng`. */
export function numbered(file: string, n: number): string {
  const ending = extname(file);
  return `${file.slice(0, file.length - ending.length)}.${n}${ending}`;
}

/** A file that is written piece by piece, in order, with little held in memory. */
export class OutputFile {
  readonly name: string;
  readonly #fd: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(name: string) {
    this.name = name;
    this.#fd = openSync(name, 'w');
  }

  /** @param bytes not changed afterwards */
  write(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= 65_536) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#pending);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
