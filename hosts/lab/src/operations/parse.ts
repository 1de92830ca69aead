/** Reads an operation file. Every mistake is found before anything runs, with its line. */
import { nearest } from '@backplane/slots';
import { parseConditions } from './conditions.ts';
import type { FileOperation, Step, Workload, WorldOperation } from './operation.ts';
import { malformed, splitOutsideQuotes, Words, withoutComment } from './words.ts';

type FileOp = FileOperation['op'];
const path = (w: Words): string => w.word('a path');
const handle = (w: Words): string => w.word('a handle');
const onPath =
  <O extends Extract<FileOperation, { readonly path: string }>['op']>(op: O) =>
  (w: Words) =>
    ({ op, path: path(w) }) as unknown as FileOperation;
const onHandle =
  <O extends 'hstat' | 'hsync' | 'close'>(op: O) =>
  (w: Words): FileOperation => ({ op, handle: handle(w) });

const openFlags = ['read', 'write', 'create', 'truncate', 'append', 'exclusive'] as const;

const fileOperations: { readonly [O in FileOp]: (w: Words) => FileOperation } = {
  mkdir: (w) => ({ op: 'mkdir', path: path(w), mode: w.octal('the mode', 0o777) }),
  creat: (w) => ({ op: 'creat', path: path(w), mode: w.octal('the mode', 0o666) }),
  write: (w) => ({
    op: 'write',
    path: path(w),
    offset: w.count('the offset'),
    length: w.count('the length'),
    byte: w.byte('the byte'),
  }),
  append: (w) => ({ op: 'append', path: path(w), length: w.count('the length'), byte: w.byte('the byte') }),
  read: (w) => ({ op: 'read', path: path(w), offset: w.count('the offset'), length: w.count('the length') }),
  trunc: (w) => ({ op: 'trunc', path: path(w), size: w.count('the size') }),
  link: (w) => ({ op: 'link', from: path(w), to: path(w) }),
  rename: (w) => ({ op: 'rename', from: path(w), to: path(w) }),
  symlink: (w) => ({ op: 'symlink', text: w.word('the text of the link'), path: path(w) }),
  readlink: onPath('readlink'),
  unlink: onPath('unlink'),
  rmdir: onPath('rmdir'),
  stat: onPath('stat'),
  lstat: onPath('lstat'),
  readdir: onPath('readdir'),
  fsync: onPath('fsync'),
  fdatasync: onPath('fdatasync'),
  chdir: onPath('chdir'),
  chmod: (w) => ({ op: 'chmod', path: path(w), mode: w.octal('the mode') }),
  chown: (w) => ({ op: 'chown', path: path(w), uid: w.count('the user'), gid: w.count('the group') }),
  utimes: (w) => ({
    op: 'utimes',
    path: path(w),
    accessSeconds: w.seconds('the access time'),
    modifySeconds: w.seconds('the modify time'),
  }),
  access: (w) => {
    const name = path(w);
    const how = w.word('the permissions');
    if (!/^[rwx]+$/.test(how)) throw w.wrong(`permissions are of r, w and x, not "${how}".`);
    return { op: 'access', path: name, how };
  },
  sync: () => ({ op: 'sync' }),
  open: (w) => {
    const name = handle(w);
    const at = path(w);
    const flags = w.word('the flags').split(',');
    for (const flag of flags)
      if (!openFlags.some((f) => f === flag))
        throw w.wrong(
          `"${flag}" is no flag of open.`,
          `Flags are ${openFlags.join(', ')}, with commas between.`,
        );
    return { op: 'open', handle: name, path: at, flags, mode: w.octal('the mode', 0o666) };
  },
  hread: (w) => ({ op: 'hread', handle: handle(w), length: w.count('the length') }),
  hwrite: (w) => ({
    op: 'hwrite',
    handle: handle(w),
    length: w.count('the length'),
    byte: w.byte('the byte'),
  }),
  pread: (w) => ({
    op: 'pread',
    handle: handle(w),
    offset: w.count('the offset'),
    length: w.count('the length'),
  }),
  pwrite: (w) => ({
    op: 'pwrite',
    handle: handle(w),
    offset: w.count('the offset'),
    length: w.count('the length'),
    byte: w.byte('the byte'),
  }),
  seek: (w) => {
    const name = handle(w);
    const offset = w.integer('the offset');
    const from = w.choice('where the offset counts from', ['set', 'cur', 'end']);
    return {
      op: 'seek',
      handle: name,
      offset,
      from: from === 'set' ? 'start' : from === 'cur' ? 'current' : 'end',
    };
  },
  htrunc: (w) => ({ op: 'htrunc', handle: handle(w), size: w.count('the size') }),
  hstat: onHandle('hstat'),
  hsync: onHandle('hsync'),
  close: onHandle('close'),
  dup: (w) => ({ op: 'dup', handle: handle(w), as: handle(w) }),
  lock: (w) => ({
    op: 'lock',
    handle: handle(w),
    mode: w.choice('the mode of the lock', ['shared', 'exclusive', 'none']),
  }),
  fork: (w) => ({ op: 'fork', process: w.word('the new process') }),
  setuid: (w) => ({ op: 'setuid', uid: w.count('the user'), gid: w.count('the group') }),
  umask: (w) => ({ op: 'umask', mask: w.octal('the mask') }),
  exit: () => ({ op: 'exit' }),
};

const worldOperations: { readonly [O in WorldOperation['op']]: (w: Words) => WorldOperation } = {
  wait: (w) => ({ op: 'wait', seconds: w.seconds('how long') }),
  join: () => ({ op: 'join' }),
  heal: () => ({ op: 'heal' }),
  clean: () => ({ op: 'clean' }),
  checkpoint: () => ({ op: 'checkpoint' }),
  crash: (w) => ({ op: 'crash', machine: w.word('a machine') }),
  reboot: (w) => ({ op: 'reboot', machine: w.word('a machine') }),
  partition: (w) => ({ op: 'partition', one: w.word('a machine'), other: w.word('another machine') }),
};

const isFileOp = (op: string): op is FileOp => Object.hasOwn(fileOperations, op);
const isWorldOp = (op: string): op is WorldOperation['op'] => Object.hasOwn(worldOperations, op);

/** @throws BackplaneError MALFORMED_OPERATIONS with file and line */
export function parseOperations(text: string, file: string): readonly Workload[] {
  const workloads: { name: string; steps: Step[] }[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = i + 1;
    const content = withoutComment(raw).trim();
    if (content === '') continue;
    const head = /^(W\d+)\s*(.*)$/.exec(content);
    if (head !== null) {
      workloads.push({ name: [head[1], head[2]].join(' ').trim(), steps: [] });
      continue;
    }
    if (workloads.length === 0) workloads.push({ name: file, steps: [] });
    workloads.at(-1)?.steps.push(...parseLine(content, file, line));
  }
  return workloads;
}

function parseLine(content: string, file: string, line: number): readonly Step[] {
  const condition = /^(must(?:\s+\d+)?|one-of)\s*:\s*(.*)$/.exec(content);
  if (condition !== null)
    return [
      {
        step: 'condition',
        line,
        text: content,
        alternatives: parseConditions(condition[2] ?? '', condition[1] === 'one-of', file, line),
      },
    ];
  // A prefix holds for every operation of its line.
  const prefixed = /^([A-Za-z][\w-]*)(?:\.([A-Za-z][\w-]*))?:\s+(.*)$/.exec(content);
  const client = prefixed?.[1] ?? 'c1';
  const process = prefixed?.[2] ?? 'p1';
  return splitOutsideQuotes(prefixed?.[3] ?? content, ';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => parseOperation(part, client, process, file, line));
}

function parseOperation(
  text: string,
  client: string,
  process: string,
  file: string,
  line: number,
): readonly Step[] {
  const repeat = /^REPEAT\s+(\d+)\s+(.*)$/.exec(text);
  if (repeat !== null)
    return Array.from({ length: Number(repeat[1]) }, (_, i) =>
      parseOperation((repeat[2] ?? '').replaceAll('%', String(i)), client, process, file, line),
    ).flat();
  const marks = /^(.*?)(?:\s+@(\w+))?(\s+&)?$/.exec(text);
  const w = new Words(marks?.[1] ?? text, file, line);
  const op = w.word('an operation');
  if (isWorldOp(op)) {
    const operation = worldOperations[op](w);
    w.end();
    return [{ step: 'world', line, operation }];
  }
  if (!isFileOp(op)) {
    const near = nearest(op, [...Object.keys(fileOperations), ...Object.keys(worldOperations)]);
    throw malformed(
      file,
      line,
      `there is no operation "${op}".`,
      near === undefined ? 'docs/operation-files.md lists every operation.' : `Did you mean "${near}"?`,
    );
  }
  const operation = fileOperations[op](w);
  w.end();
  return [
    {
      step: 'file',
      line,
      client,
      process,
      background: marks?.[3] !== undefined,
      operation,
      persistence: marks?.[2] ?? null,
    },
  ];
}
