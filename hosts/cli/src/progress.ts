/** One line of progress on a terminal: virtual time and its rate. Nothing where standard error is no terminal. */
import pc from 'picocolors';

const everyMs = 100;

export class Progress {
  readonly #on: boolean = process.stderr.isTTY === true;
  readonly #startedMs = performance.now();
  #shownMs = 0;

  show(what: string, virtualSeconds: number, events: number): void {
    const nowMs = performance.now();
    if (!this.#on || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    const seconds = (nowMs - this.#startedMs) / 1000;
    const rate = virtualSeconds / seconds;
    process.stderr.write(
      `\r\x1b[K${what}  ${pc.bold(`${virtualSeconds.toFixed(1)} virtual s`)}  ${rate.toFixed(0)} x real time  ${(events / seconds / 1e6).toFixed(2)} M events/s`,
    );
  }

  done(): void {
    if (this.#on && this.#shownMs > 0) process.stderr.write('\r\x1b[K');
  }
}

/** The same for what goes into an image or comes out of one. */
export class TransferProgress {
  readonly #on: boolean = process.stderr.isTTY === true;
  readonly #what: string;
  readonly #startedMs = performance.now();
  #shownMs = 0;

  constructor(what: string) {
    this.#what = what;
  }

  show(objects: number, bytes: number): void {
    const nowMs = performance.now();
    if (!this.#on || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    const megabytes = bytes / 1e6;
    const rate = megabytes / ((nowMs - this.#startedMs) / 1000);
    process.stderr.write(
      `\r\x1b[K${this.#what}  ${pc.bold(`${objects} objects`)}  ${megabytes.toFixed(1)} MB  ${rate.toFixed(0)} MB/s`,
    );
  }

  done(): void {
    if (this.#on && this.#shownMs > 0) process.stderr.write('\r\x1b[K');
  }
}
