/**
 * The system calls as data: what a program hands to the kernel on which its process runs now, and what comes back.
 * Because a call is a name and an argument, it can be sent home by a process that has moved.
 */
import type {
  AttributeChange,
  Attributes,
  Credentials,
  Fd,
  LockMode,
  OpenHow,
  Program,
  Ready,
} from '@backplane/slots';

type Nothing = Record<never, never>;

export interface CallTable {
  open: { in: { readonly path: string; readonly how: OpenHow }; out: Fd };
  close: { in: { readonly fd: Fd }; out: null };
  read: { in: { readonly fd: Fd; readonly count: number }; out: Uint8Array };
  write: { in: { readonly fd: Fd; readonly bytes: Uint8Array }; out: number };
  readAt: { in: { readonly fd: Fd; readonly at: number; readonly count: number }; out: Uint8Array };
  writeAt: { in: { readonly fd: Fd; readonly at: number; readonly bytes: Uint8Array }; out: number };
  seek: {
    in: { readonly fd: Fd; readonly to: number; readonly from: 'start' | 'current' | 'end' };
    out: number;
  };
  truncateOpen: { in: { readonly fd: Fd; readonly sizeBytes: number }; out: null };
  statOpen: { in: { readonly fd: Fd }; out: Attributes };
  setAttributesOpen: { in: { readonly fd: Fd; readonly change: AttributeChange }; out: null };
  sync: { in: { readonly fd: Fd }; out: null };
  dup: { in: { readonly fd: Fd; readonly as: Fd | null }; out: Fd };
  lock: { in: { readonly fd: Fd; readonly mode: LockMode; readonly wait: boolean }; out: null };
  select: {
    in: {
      readonly wanted: readonly { readonly fd: Fd; readonly read: boolean; readonly write: boolean }[];
      readonly timeoutNs: number;
    };
    out: readonly Ready[];
  };
  pipe: { in: Nothing; out: { readonly read: Fd; readonly write: Fd } };

  stat: { in: { readonly path: string; readonly follow: boolean }; out: Attributes };
  access: {
    in: { readonly path: string; readonly read: boolean; readonly write: boolean; readonly execute: boolean };
    out: null;
  };
  truncate: { in: { readonly path: string; readonly sizeBytes: number }; out: null };
  link: { in: { readonly existing: string; readonly added: string }; out: null };
  unlink: { in: { readonly path: string }; out: null };
  rename: { in: { readonly from: string; readonly to: string }; out: null };
  symlink: { in: { readonly target: string; readonly path: string }; out: null };
  remoteLink: { in: { readonly target: string; readonly path: string }; out: null };
  readlink: { in: { readonly path: string }; out: string };
  mkdir: { in: { readonly path: string; readonly mode: number }; out: null };
  rmdir: { in: { readonly path: string }; out: null };
  entries: { in: { readonly path: string }; out: readonly string[] };
  setAttributes: {
    in: { readonly path: string; readonly change: AttributeChange; readonly follow: boolean };
    out: null;
  };
  chdir: { in: { readonly path: string }; out: null };
  workingDirectory: { in: Nothing; out: string };
  umask: { in: { readonly mask: number }; out: number };
  setUser: { in: Credentials; out: null };
  user: { in: Nothing; out: Credentials };
  syncAll: { in: Nothing; out: null };

  compute: { in: { readonly ns: number }; out: null };
  sleep: { in: { readonly ns: number }; out: null };
  time: { in: Nothing; out: number };
  spawn: { in: { readonly name: string; readonly program: Program }; out: number };
  wait: {
    in: { readonly processId: number | null };
    out: { readonly processId: number; readonly status: number };
  };
  exit: { in: { readonly status: number }; out: never };
}

export type CallName = keyof CallTable;
