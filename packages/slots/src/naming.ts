/**
 * Slot `naming`: from a path to whom to ask, and with which remainder. The operation carries the name, so naming is
 * a table of hints and one loop: locate, attempt, learn, at most ten times. What the remainder means is the
 * server's affair. Naming needs a transport at most; never a file protocol, never recovery.
 */
import type { Task } from '@backplane/engine';
import type { Authority, ProtocolId, Token, Undo, Verdict } from './vocabulary.ts';

/** Redirects and links that one lookup follows before it is a loop. */
export const redirectsMax = 10;
export const pathBytesMax = 1024;
export const componentBytesMax = 255;

/** Where to send an operation. */
export interface NameTarget {
  /** The prefix that matched, or that the working directory was found under. */
  readonly prefix: string;
  readonly protocol: ProtocolId;
  readonly authority: Authority;
  /** From where the remainder is looked up: the root of a domain, or a working directory in it. */
  readonly root: Token;
  /** The root of the domain: ".." does not climb above it. Equal to `root` unless a working directory is the start. */
  readonly domainRoot: Token;
  readonly remainder: string;
  /** A server has had this operation before, and fell silent: what stands in its way now may be what it did then. */
  readonly again?: boolean;
}

/** What a server may answer: plain values, fit for the wire. */
export type WireAttempt<T> =
  | { readonly is: 'done'; readonly value: T }
  /** Look up `name` instead; its first `prefixLength` characters (if not 0) are a prefix that another server serves. */
  | { readonly is: 'redirect'; readonly name: string; readonly prefixLength: number }
  /** ".." at the domain's root; `rest` starts with "../". */
  | { readonly is: 'above'; readonly rest: string }
  /** "Not mine": forget the hint and locate again. */
  | { readonly is: 'stale' };

/** What a protocol's client half returns: adds silence, and how to sit it out. */
export type Attempt<T> = WireAttempt<T> | Unreachable | Gone;

export interface Unreachable {
  readonly is: 'unreachable';
  /** The server was sent the request, and may have done it. */
  readonly perhapsDone: boolean;
  wait(): Task<Verdict>;
}

/** As `stale`: the server of the hint is no more. */
export interface Gone {
  readonly is: 'stale';
  /** It was there when it was asked, and may have done it. */
  readonly perhapsDone: boolean;
}

export const done = <T>(value: T): { readonly is: 'done'; readonly value: T } => ({ is: 'done', value });
export const redirect = (
  name: string,
  prefixLength: number,
): { readonly is: 'redirect'; readonly name: string; readonly prefixLength: number } => ({
  is: 'redirect',
  name,
  prefixLength,
});
export const above = (rest: string): { readonly is: 'above'; readonly rest: string } => ({
  is: 'above',
  rest,
});
export const staleName: { readonly is: 'stale' } = { is: 'stale' };

/**
 * Is the operation about the object behind the name, or about the directory entry itself (unlink, mkdir, symlink,
 * rename)? An entry never matches a prefix equal to the whole name; else unlinking a mount point would act on the
 * root of the wrong server.
 */
export type About = 'object' | 'entry';

/** A domain that this host serves. */
export interface Export {
  readonly prefix: string;
  readonly protocol: ProtocolId;
  readonly authority: Authority;
  readonly root: Token;
}

export interface Naming {
  /** A fresh view, at the root. */
  view(): NameView;
  /** The view of a program that has come here from another host: what it knows is kept, what it asks is asked from here. */
  adopt?(view: NameView): NameView;
  /** Answers for a prefix from now on. A protocol's server half calls it. */
  export(e: Export): Undo;
}

/** The names as one process sees them. */
export interface NameView {
  /** For a new process: by copy where the system copied, shared where it shared. */
  inherit(): NameView;
  /** The name of the working directory, as it was entered. */
  readonly workingDirectory: string;
  /** `enter` resolves the directory to a token; later relative names start there, even if it is renamed. */
  chdir(name: string, enter: (t: NameTarget) => Task<Attempt<Token>>): Task<void>;
  /**
   * @throws KernelError `notFound` (no prefix ever answered for the name), `noAnswer` (its server is known and silent,
   * and waiting was given up), `nameLoop`, `nameTooLong`, and what the attempt throws. The attempt must be safe to
   * run again.
   */
  perform<T>(name: string, about: About, attempt: (t: NameTarget) => Task<Attempt<T>>): Task<T>;
  /**
   * What is done to a whole directory, as its listing, where several managers may share one: each is asked for itself. For a
   * directory that one manager has, as `perform` on an object, and one part. Absent: nobody shares directories here.
   *
   * Not `whole`: somebody has names of it, or may have, and has not answered, however long he was waited for. What the
   * others have said is a part then, and is not to be passed on for more.
   *
   * @throws KernelError as `perform`, if nobody answers
   */
  performAll?<T>(
    name: string,
    attempt: (t: NameTarget) => Task<Attempt<T>>,
  ): Task<{
    readonly whole: boolean;
    /** In the order of the names that each manager has; `has` tells which these are, also of names that do not exist. */
    readonly parts: readonly { readonly value: T; has(entry: string): boolean }[];
  }>;
  /**
   * Two names, one operation (rename, link). `settle` resolves the redirects on the way to the parent of either name;
   * then both must have one protocol and one authority, else `crossDomain`.
   */
  performTwo<T>(
    first: string,
    second: string,
    firstAbout: About,
    settle: (t: NameTarget) => Task<Attempt<unknown>>,
    attempt: (a: NameTarget, b: NameTarget) => Task<Attempt<T> | SecondAttempt<T>>,
  ): Task<T>;
}

/** The outcome concerns the second name, not the first. */
export interface SecondAttempt<T> {
  readonly is: 'second';
  readonly of: Attempt<T>;
}
