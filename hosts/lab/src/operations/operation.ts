/**
 * Operation files: one small language for traces of file operations, tests and bug reports. This file says what a parsed
 * one is; `parse.ts` reads the text, `execute.ts` carries it out.
 */

/** What is done by path or by handle, in one process of one client. */
export type FileOperation =
  | { readonly op: 'mkdir'; readonly path: string; readonly mode: number }
  | { readonly op: 'creat'; readonly path: string; readonly mode: number }
  | {
      readonly op: 'write';
      readonly path: string;
      readonly offset: number;
      readonly length: number;
      readonly byte: number;
    }
  | { readonly op: 'append'; readonly path: string; readonly length: number; readonly byte: number }
  | { readonly op: 'read'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly op: 'trunc'; readonly path: string; readonly size: number }
  | { readonly op: 'link' | 'rename'; readonly from: string; readonly to: string }
  | { readonly op: 'symlink'; readonly text: string; readonly path: string }
  | {
      readonly op:
        | 'readlink'
        | 'unlink'
        | 'rmdir'
        | 'stat'
        | 'lstat'
        | 'readdir'
        | 'fsync'
        | 'fdatasync'
        | 'chdir';
      readonly path: string;
    }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly op: 'chown'; readonly path: string; readonly uid: number; readonly gid: number }
  | {
      readonly op: 'utimes';
      readonly path: string;
      readonly accessSeconds: number;
      readonly modifySeconds: number;
    }
  | { readonly op: 'access'; readonly path: string; readonly how: string }
  | { readonly op: 'sync' }
  | {
      readonly op: 'open';
      readonly handle: string;
      readonly path: string;
      readonly flags: readonly string[];
      readonly mode: number;
    }
  | { readonly op: 'hread'; readonly handle: string; readonly length: number }
  | { readonly op: 'hwrite'; readonly handle: string; readonly length: number; readonly byte: number }
  | { readonly op: 'pread'; readonly handle: string; readonly offset: number; readonly length: number }
  | {
      readonly op: 'pwrite';
      readonly handle: string;
      readonly offset: number;
      readonly length: number;
      readonly byte: number;
    }
  | {
      readonly op: 'seek';
      readonly handle: string;
      readonly offset: number;
      readonly from: 'start' | 'current' | 'end';
    }
  | { readonly op: 'htrunc'; readonly handle: string; readonly size: number }
  | { readonly op: 'hstat' | 'hsync' | 'close'; readonly handle: string }
  | { readonly op: 'dup'; readonly handle: string; readonly as: string }
  | { readonly op: 'lock'; readonly handle: string; readonly mode: 'shared' | 'exclusive' | 'none' }
  | { readonly op: 'fork'; readonly process: string }
  | { readonly op: 'setuid'; readonly uid: number; readonly gid: number }
  | { readonly op: 'umask'; readonly mask: number }
  | { readonly op: 'exit' };

/** What happens to the world rather than in a process. */
export type WorldOperation =
  | { readonly op: 'wait'; readonly seconds: number }
  | { readonly op: 'join' | 'heal' | 'clean' | 'checkpoint' }
  | { readonly op: 'crash' | 'reboot'; readonly machine: string }
  | { readonly op: 'partition'; readonly one: string; readonly other: string };

export type Content =
  | { readonly is: 'size'; readonly size: number }
  | { readonly is: 'byte'; readonly byte: number }
  | { readonly is: 'nlink'; readonly count: number }
  | { readonly is: 'range'; readonly from: number; readonly to: number; readonly byte: number }
  | { readonly is: 'prefix'; readonly length: number; readonly byte: number }
  | { readonly is: 'mode'; readonly mode: number }
  | { readonly is: 'same-inode'; readonly path: string };

export type Condition =
  | { readonly is: 'absent' | 'exists'; readonly path: string }
  | { readonly is: 'content'; readonly path: string; readonly all: readonly Content[] }
  | { readonly is: 'link'; readonly path: string; readonly text: string }
  | { readonly is: 'count'; readonly path: string; readonly count: number };

/** A line, or a part of one, in its place in the file. */
export type Step =
  | {
      readonly step: 'file';
      readonly line: number;
      readonly client: string;
      readonly process: string;
      readonly background: boolean;
      readonly operation: FileOperation;
      readonly persistence: string | null;
    }
  | { readonly step: 'world'; readonly line: number; readonly operation: WorldOperation }
  /** Each alternative is a list of conditions that hold together; `must` has one alternative. */
  | {
      readonly step: 'condition';
      readonly line: number;
      readonly alternatives: readonly (readonly Condition[])[];
      readonly text: string;
    };

export interface Workload {
  readonly name: string;
  readonly steps: readonly Step[];
}
