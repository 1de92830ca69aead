/**
 * One pipe: a buffer of 4096 bytes with an end for reading and one for writing (Welch 1990, chapter 3; 4.3BSD).
 *
 *   state             read                       write of at most a buffer    write of more
 *   empty             would block                all of it                    what fits
 *   some              what there is, up to asked all of it or would block     what fits
 *   full              what is asked              would block                  would block
 *   no writer left    what there is, then the end
 *   no reader left                               broken pipe                  broken pipe
 *
 * So writes of at most a buffer are never mixed with those of others. Who would block leaves a waiter; whoever changes
 * the state wakes all of the other side, and they try again.
 *
 * An end counts the hosts that use it: it moves, and may be used on several at once.
 */
import { type HostId, KernelError, type Ready, type Waiter } from '@backplane/slots';

export const bufferBytes = 4096;
export type End = 'read' | 'write';

export class Pipe {
  readonly #buffer = new Uint8Array(bufferBytes);
  #head = 0;
  #used = 0;
  readonly #hosts: { readonly [E in End]: Set<HostId> };
  #waiting: Waiter[] = [];
  readonly #wake: (w: Waiter) => void;

  constructor(wake: (w: Waiter) => void, maker: HostId) {
    this.#wake = wake;
    this.#hosts = { read: new Set([maker]), write: new Set([maker]) };
  }

  read(count: number, waiter: Waiter): Uint8Array {
    if (this.#used === 0 && this.#hosts.write.size > 0) {
      this.#waiting.push(waiter);
      throw new KernelError('wouldBlock', 'an empty pipe');
    }
    const bytes = new Uint8Array(Math.min(count, this.#used));
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#buffer[(this.#head + i) % bufferBytes] ?? 0;
    this.#head = (this.#head + bytes.length) % bufferBytes;
    this.#used -= bytes.length;
    if (bytes.length > 0) this.#wakeAll();
    return bytes;
  }

  /**
   * Returns how many bytes were taken.
   *
   * @param wanted length of the whole write, of which `bytes` may be only what can fit
   */
  write(bytes: Uint8Array, waiter: Waiter, wanted: number = bytes.length): number {
    if (this.#hosts.read.size === 0) throw new KernelError('brokenPipe');
    const room = bufferBytes - this.#used;
    const needed = wanted <= bufferBytes ? bytes.length : 1;
    if (room < needed) {
      this.#waiting.push(waiter);
      throw new KernelError('wouldBlock', 'a full pipe');
    }
    const count = Math.min(room, bytes.length);
    const tail = this.#head + this.#used;
    for (let i = 0; i < count; i++) this.#buffer[(tail + i) % bufferBytes] = bytes[i] ?? 0;
    this.#used += count;
    if (count > 0) this.#wakeAll();
    return count;
  }

  /** What one end can do without blocking; the waiter is left if that is nothing. */
  poll(end: End, waiter: Waiter): Ready {
    const read = end === 'read' && (this.#used > 0 || this.#hosts.write.size === 0);
    const write = end === 'write' && (this.#used < bufferBytes || this.#hosts.read.size === 0);
    if (!read && !write) this.#waiting.push(waiter);
    return { read, write, exception: false };
  }

  isUsedBy(end: End, host: HostId): boolean {
    return this.#hosts[end].has(host);
  }

  enter(end: End, host: HostId): void {
    this.#hosts[end].add(host);
  }

  /** The host uses this end no more. */
  leave(end: End, host: HostId): void {
    if (this.#hosts[end].delete(host)) this.#wakeAll();
  }

  /** Nobody has an end of it. */
  get isAbandoned(): boolean {
    return this.#hosts.read.size === 0 && this.#hosts.write.size === 0;
  }

  get usedBytes(): number {
    return this.#used;
  }

  #wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const w of waiting) this.#wake(w);
  }
}
