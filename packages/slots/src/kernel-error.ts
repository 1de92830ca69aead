/**
 * Failures inside the emulated system, in neutral kinds. Each personality maps them to its own codes at its system
 * calls and on its wire; a transport carries the kind across unchanged.
 *
 * Known by brand, not by class, so that two copies of this package in one process understand each other.
 */

/** Every kind has a number for the wire. Numbers are never reused; new kinds go to the end. */
export const kernelErrorKinds = [
  'ok',
  'notFound', // no such name
  'exists', // the name is taken
  'notDirectory', // a component on the way is not a directory
  'isDirectory', // a directory where a file is needed
  'notEmpty', // a directory that still has entries
  'permission', // the mode bits refuse it
  'notOwner', // only the owner or the super user may
  'noSpace', // the device, the cache or a table is full
  'nameTooLong', // a component over 255 bytes or a path over 1024
  'nameLoop', // more than 10 links or redirects
  'crossDomain', // two names that lie in different domains
  'badArgument', // an argument outside its range
  'badHandle', // a descriptor that is not open, or not open for this
  'busy', // executed and written at the same time, or a mount point
  'wouldBlock', // nothing to do now; a waiter was left
  'interrupted', // a signal ended the wait
  'brokenPipe', // no reader is left
  'notSeekable', // an offset on an object that has none
  'tooLarge', // beyond the largest file
  'tooManyOpen', // no free descriptor
  'ioError', // the device failed
  'stale', // the server does not know this handle (any more)
  'objectLost', // an open object that died with its server
  'peerDown', // silence from the peer
  'noAnswer', // a known manager did not answer; it may be down
  'recovering', // a server that still waits for its clients' reopens
  'unsupported', // the object or the protocol has no such operation
  'readOnly', // a domain that takes no writes
  'noSuchSector', // beyond the end of a device
  'deadlock', // a lock that would wait for itself
  'noProcess', // no such process
  'tooManyLinks', // more hard links than a descriptor can count
] as const;

export type KernelErrorKind = Exclude<(typeof kernelErrorKinds)[number], 'ok'>;

export class KernelError extends Error {
  /** The brand: says what this is to another copy of the package. */
  readonly backplane: string = 'KernelError';
  readonly kind: KernelErrorKind;
  /** Of a request that failed: certainly nobody has had it. */
  readonly untaken: boolean;

  constructor(kind: KernelErrorKind, detail?: string, untaken = false) {
    super(detail === undefined ? kind : `${kind}: ${detail}`);
    this.name = 'KernelError';
    this.kind = kind;
    this.untaken = untaken;
  }
}

/** Is this an operating error (of the given kind)? Everything else that is thrown is a broken invariant. */
export function isKernelError(e: unknown, kind?: KernelErrorKind): e is KernelError {
  return (
    e instanceof Error &&
    (e as Partial<KernelError>).backplane === 'KernelError' &&
    (kind === undefined || (e as KernelError).kind === kind)
  );
}

/** The number of a kind on the wire, from 1. */
export function kernelErrorNumber(kind: KernelErrorKind): number {
  return kernelErrorKinds.indexOf(kind);
}

/** The kind for a number that came from the wire; an unknown number is an `ioError`. */
export function kernelErrorFrom(number: number): KernelErrorKind {
  const kind = kernelErrorKinds[number];
  return kind === undefined || kind === 'ok' ? 'ioError' : kind;
}
