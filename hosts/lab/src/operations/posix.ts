/** The names of errors that POSIX programs know, for the neutral kinds of the kernel. */
import type { KernelErrorKind } from '@backplane/slots';

const names: { readonly [K in KernelErrorKind]: string } = {
  notFound: 'ENOENT',
  exists: 'EEXIST',
  notDirectory: 'ENOTDIR',
  isDirectory: 'EISDIR',
  notEmpty: 'ENOTEMPTY',
  permission: 'EACCES',
  notOwner: 'EPERM',
  noSpace: 'ENOSPC',
  nameTooLong: 'ENAMETOOLONG',
  nameLoop: 'ELOOP',
  crossDomain: 'EXDEV',
  badArgument: 'EINVAL',
  badHandle: 'EBADF',
  busy: 'ETXTBSY',
  wouldBlock: 'EWOULDBLOCK',
  interrupted: 'EINTR',
  brokenPipe: 'EPIPE',
  notSeekable: 'ESPIPE',
  tooLarge: 'EFBIG',
  tooManyOpen: 'EMFILE',
  ioError: 'EIO',
  stale: 'ESTALE',
  objectLost: 'ESTALE',
  peerDown: 'ETIMEDOUT',
  noAnswer: 'ETIMEDOUT',
  recovering: 'EAGAIN',
  unsupported: 'EOPNOTSUPP',
  readOnly: 'EROFS',
  noSuchSector: 'ENXIO',
  deadlock: 'EDEADLK',
  noProcess: 'ECHILD',
  tooManyLinks: 'EMLINK',
};

export const posixName = (kind: KernelErrorKind): string => names[kind];
