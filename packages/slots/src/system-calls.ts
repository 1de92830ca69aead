/**
 * Slot `systemCalls`: what programs see.
 *
 * A call is data that the program yields to the kernel on which its process runs now; so it can be forwarded and
 * still works after the process has moved. Native programs are generators that touch the world only through
 * `Calls`, the part of 4.3BSD's interface that every personality offers; a personality may offer more of its own.
 */
import type { Task } from '@backplane/engine';
import type { AddressSpace } from './address-space.ts';
import type { AttributeChange } from './storage.ts';
import type { Attributes, Credentials, LockMode, OpenHow, Ready } from './streams.ts';

/** A descriptor: a small number of the process's own. */
export type Fd = number;

/** A native program; its result is the exit status. An uncaught KernelError ends it with status 1. */
export type Program = (sys: Calls) => Task<number>;

/**
 * System calls. All throw KernelError when the kernel refuses; a personality maps the kinds to its own codes.
 * Paths are at most 1024 bytes, components at most 255.
 */
export interface Calls {
  readonly processId: number;
  readonly machine: string;

  open(path: string, how: OpenHow): Task<Fd>;
  close(fd: Fd): Task<void>;
  /** Up to `count` bytes from the stream's offset; none at the end of a file. Waits on an empty pipe. */
  read(fd: Fd, count: number): Task<Uint8Array>;
  write(fd: Fd, bytes: Uint8Array): Task<number>;
  readAt(fd: Fd, at: number, count: number): Task<Uint8Array>;
  writeAt(fd: Fd, at: number, bytes: Uint8Array): Task<number>;
  seek(fd: Fd, to: number, from: 'start' | 'current' | 'end'): Task<number>;
  truncateOpen(fd: Fd, sizeBytes: number): Task<void>;
  statOpen(fd: Fd): Task<Attributes>;
  setAttributesOpen(fd: Fd, change: AttributeChange): Task<void>;
  sync(fd: Fd): Task<void>;
  dup(fd: Fd, as?: Fd): Task<Fd>;
  lock(fd: Fd, mode: LockMode, o: { readonly wait: boolean }): Task<void>;
  select(
    wanted: readonly { readonly fd: Fd; readonly read: boolean; readonly write: boolean }[],
    timeoutNs: number,
  ): Task<readonly Ready[]>;
  pipe(): Task<{ readonly read: Fd; readonly write: Fd }>;

  stat(path: string, o?: { readonly follow: boolean }): Task<Attributes>;
  access(
    path: string,
    o: { readonly read?: boolean; readonly write?: boolean; readonly execute?: boolean },
  ): Task<void>;
  truncate(path: string, sizeBytes: number): Task<void>;
  link(existing: string, added: string): Task<void>;
  unlink(path: string): Task<void>;
  rename(from: string, to: string): Task<void>;
  symlink(target: string, path: string): Task<void>;
  /** The mark of another server's domain, where the personality has such links; the super user's. */
  remoteLink(target: string, path: string): Task<void>;
  readlink(path: string): Task<string>;
  mkdir(path: string, mode: number): Task<void>;
  rmdir(path: string): Task<void>;
  entries(path: string): Task<readonly string[]>;
  setAttributes(path: string, change: AttributeChange, o?: { readonly follow: boolean }): Task<void>;
  chdir(path: string): Task<void>;
  workingDirectory(): Task<string>;
  umask(mask: number): Task<number>;
  setUser(uid: number, gid: number, groups?: readonly number[]): Task<void>;
  user(): Task<Credentials>;
  syncAll(): Task<void>;

  /** Executes on a processor for so long, as user time. */
  compute(ns: number): Task<void>;
  sleep(ns: number): Task<void>;
  /** Virtual nanoseconds now. */
  time(): Task<number>;
  /** The program's own memory. */
  readonly memory: AddressSpace;

  /** A child with copies of the descriptors (offsets shared), names and credentials. Charged as fork and exec. */
  spawn(name: string, program: Program): Task<number>;
  /** Waits for a child (any, without an id). @throws `noProcess` when there is none */
  wait(processId?: number): Task<{ readonly processId: number; readonly status: number }>;
  /** Ends this process. Never returns. */
  exit(status: number): Task<never>;
}

/** A running program, for who started it from outside of the machine. */
export interface RunningProgram {
  readonly processId: number;
  readonly ended: boolean;
  /** Exit status. */
  join(): Task<number>;
  kill(): void;
}

export interface SystemCalls {
  /** Starts a program in a process of its own, at the root directory. */
  start(
    name: string,
    program: Program,
    o?: { readonly who?: Credentials; readonly umask?: number },
  ): RunningProgram;
  readonly processes: number;
}
