/**
 * Where things go: results to standard output, everything else to standard error. With `--json` standard output gets
 * exactly one object. Colour only on a terminal, and not when NO_COLOR is set.
 */
import type { ResultTable } from '@backplane/lab';
import { isBackplaneError } from '@backplane/slots';
import Table from 'cli-table3';
import pc from 'picocolors';

export const out = (text: string): void => void process.stdout.write(`${text}\n`);
export const note = (text: string): void => void process.stderr.write(`${text}\n`);
export const json = (value: unknown): void => out(JSON.stringify(value));

const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A table without borders; columns that hold numbers are aligned to the right. */
export function formatTable({ title, head, rows, note: footnote }: ResultTable): string {
  const numeric = head.map((_, i) => rows.every((r) => /^[-+\d.,%x ]*$/.test(r[i] ?? '')));
  const table = new Table({
    chars: plain,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: numeric.map((n) => (n ? 'right' : 'left')),
    head: head.map((h) => pc.dim(h)),
  });
  table.push(...rows.map((r) => [...r]));
  return `${pc.bold(title)}\n${table.toString()}${footnote === undefined ? '' : `\n${pc.dim(footnote)}`}`;
}

/** What went wrong in virtual time: with the stack of what began it, unless that says itself what is to be done. */
export function complainOfRun(e: unknown): void {
  let root = e;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  if (isBackplaneError(root) && root.code !== 'INVARIANT') {
    complain(root);
    return;
  }
  const stack = root instanceof Error ? root.stack : undefined;
  note(`${pc.red('backplane:')} ${e instanceof Error ? e.message : String(e)}`);
  if (stack !== undefined) note(stack);
  note('Try: the same command and seed, which show it again.');
}

/** What happened and what to do; the stack only for defects. */
export function complain(e: unknown): void {
  if (isBackplaneError(e)) {
    note(`${pc.red('backplane:')} ${e.message}`);
    if (e.hint !== '') note(`Try: ${e.hint}`);
  } else if (e instanceof Error)
    note(
      `${pc.red('backplane:')} ${e.stack ?? e.message}\nThis is a defect: the same command and seed show it again.`,
    );
  else note(String(e));
}
