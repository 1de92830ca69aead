import { afterEach, expect, it, vi } from 'vitest';

type Copy = typeof import('../src/index.ts');

/** The module loaded once more, as when two versions of a package depend on it. */
async function loadCopy(): Promise<Copy> {
  vi.resetModules();
  return import('../src/index.ts');
}

const registers = globalThis as { [key: symbol]: { layout: number } | undefined };
const key = Symbol.for('@backplane/engine task');

afterEach(() => {
  vi.resetModules();
});

it('threads of one copy may call tasks and primitives of another', async () => {
  const a = await loadCopy();
  const b = await loadCopy();
  expect(a.Engine).not.toBe(b.Engine);
  const engine = new a.Engine();
  const seen: string[] = [];
  const mutex = new b.Mutex();
  const channel = new b.Channel<string>();
  const inner = b.task(function* inner(): Generator<void, string, unknown> {
    yield* b.sleep(5);
    yield* mutex.acquire();
    b.charge(10);
    yield* a.settle();
    mutex.release();
    return `${yield* channel.receive()} in ${b.currentThread().name}`;
  });
  const outer = a.task(function* outer(): Generator<void, void, unknown> {
    seen.push(`${yield* inner()} at ${engine.nowNs}`);
  });
  const t = engine.root.spawn('t', outer());
  new b.Timer(engine.root, 'send', () => {
    seen.push(t.trace());
    channel.send('hello');
  }).set(100);
  engine.run();
  expect(seen).toEqual(['inner < outer', 'hello in t at 100']);
});

it('copies that do not fit together refuse each other, with the remedy', async () => {
  const set = registers[key];
  if (set === undefined) throw new Error('no registers');
  registers[key] = { ...set, layout: 999 };
  try {
    await expect(loadCopy()).rejects.toMatchObject({
      code: 'FOREIGN_COPY',
      data: { ours: set.layout, theirs: 999 },
      hint: expect.stringContaining('npm dedupe'),
    });
  } finally {
    registers[key] = set;
  }
});
