interface Example {
  /** The line of the README on which the program starts, counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** The programs of a README: every block fenced as `ts`, unless the fence says `ts ignore`. */
export function examplesOf(readme: string): Example[] {
  const found: Example[] = [];
  let fence: string | undefined;
  let start = 0;
  let runs = false;
  let body: string[] = [];

  for (const [at, content] of readme.split(/\r?\n/).entries()) {
    const mark = /^\s{0,3}(`{3,}|~{3,})\s*(.*)$/.exec(content);
    if (fence === undefined) {
      if (!mark) continue;
      fence = mark[1] ?? '';
      const [language, ...words] = (mark[2] ?? '').trim().split(/\s+/);
      runs = (language === 'ts' || language === 'typescript') && !words.includes('ignore');
      start = at + 2;
      body = [];
    } else if (mark?.[1]?.startsWith(fence) && mark[2] === '') {
      if (runs) found.push({ line: start, text: `${body.join('\n')}\n` });
      fence = undefined;
    } else {
      body.push(content);
    }
  }
  return found;
}
