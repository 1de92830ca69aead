import { describe, expect, it } from 'vitest';
import type { History } from '../src/history.ts';
import { Expectation } from '../src/judge.ts';
import { Model } from '../src/model.ts';
import type { CrashOperation } from '../src/operation.ts';
import { Process } from '../src/perform.ts';
import { immediate } from '../src/recording.ts';
import { readWorkloads } from '../src/shipped.ts';
import { leastPromises, type Promises } from '../src/store.ts';
import { type Tree, walk } from '../src/tree.ts';

const ordered: Promises = { ...leastPromises, names: 'prefix', contents: 'whole', order: 'barrier' };

const operationsOf = (text: string): readonly CrashOperation[] =>
  readWorkloads(text, 'test.ops')[0]?.operations ?? [];

/** What a model has after some operations. */
function modelAfter(text: string): Model {
  const model = new Model();
  const process = new Process(model);
  for (const [i, o] of operationsOf(text).entries()) {
    model.history.operation = i;
    const { confirmed } = immediate(process.perform(o));
    if (confirmed === 'all') model.confirmAll();
    else if (confirmed !== null) model.confirmFile(confirmed, { namesInside: false });
  }
  return model;
}

/** Does the oracle let a crash after all of `whole` leave what `left` makes? Numbers are the same where both make the same. */
function kinds(promises: Promises, whole: string, left: string): readonly string[] {
  const { history } = modelAfter(whole);
  const tree: Tree = immediate(walk(modelAfter(left)));
  const nodes = new Map([...tree.nodes.keys()].map((id) => [id, Number(id.split('.')[0])]));
  const done = operationsOf(whole).length;
  return new Expectation(history as History, promises, { done, underWay: false })
    .judge(tree, nodes)
    .map((v) => v.kind);
}

describe('the oracle', () => {
  it('lets nothing be there of what was not confirmed', () => {
    for (const p of [leastPromises, ordered]) expect(kinds(p, 'creat /a; append /a 10 x', '')).toEqual([]);
  });

  it('wants what fsync has confirmed, and the directories above it', () => {
    const whole = 'mkdir /d; creat /d/a; append /d/a 10 x; fsync /d/a';
    for (const p of [leastPromises, ordered]) {
      expect(kinds(p, whole, whole)).toEqual([]);
      expect(kinds(p, whole, 'mkdir /d')).toContain('lost');
      expect(kinds(p, whole, 'mkdir /d; creat /d/a')).toContain('size');
      expect(kinds(p, whole, 'mkdir /d; creat /d/a; append /d/a 10 y')).toContain('content');
    }
  });

  it('takes old or new bytes of what was written after it was confirmed', () => {
    const whole = 'creat /a; append /a 10 x; sync; write /a 0 10 y; write /a 5 5 z';
    const before = 'creat /a; append /a 10 x';
    expect(kinds(leastPromises, whole, before)).toEqual([]);
    expect(kinds(leastPromises, whole, `${before}; write /a 0 5 z`)).toEqual(['content']);
    // Some bytes of each: only where whole files are promised that is wrong.
    const mixed = `${before}; write /a 5 5 z`;
    expect(kinds(leastPromises, whole, mixed)).toEqual([]);
    expect(kinds(ordered, whole, mixed)).toEqual(['content']);
  });

  it('never lets zeros stand for bytes that were appended', () => {
    const whole = 'creat /a; append /a 10 x; sync; append /a 10 y';
    expect(kinds(leastPromises, whole, 'creat /a; append /a 10 x; trunc /a 20')).toEqual(['content']);
  });

  it('has the old name or the new one after a rename, never none', () => {
    const whole = 'creat /a; sync; rename /a /b';
    expect(kinds(leastPromises, whole, 'creat /a')).toEqual([]);
    expect(kinds(leastPromises, whole, whole)).toEqual([]);
    expect(kinds(leastPromises, whole, 'creat /a; unlink /a')).toEqual(['lost']);
  });

  it('finds no empty file under a name that a rename has replaced', () => {
    const whole = 'creat /a; append /a 10 x; sync; creat /b; append /b 5 y; rename /b /a';
    const empty = 'creat /a; creat /b; rename /b /a';
    for (const p of [leastPromises, ordered]) expect(kinds(p, whole, empty)).toContain('size');
  });

  it('knows a file again that a storage has failed to let go, and all that it has been', () => {
    const model = modelAfter('creat /a; append /a 10 x; append /a 10 y; unlink /a');
    const tree = immediate(walk(modelAfter('creat /a; append /a 10 x; append /a 10 y')));
    const nodes = new Map([...tree.nodes.keys()].map((id) => [id, Number(id.split('.')[0])]));
    model.adopt(tree, nodes);
    expect([...model.history.types.keys()]).toEqual([1, 2]);
    expect(model.history.contents.get(2)?.map((v) => v.value.length)).toEqual([0, 10, 20]);
    expect(immediate(walk(model)).nodes.size).toBe(2);
  });

  it('keeps the order of names where it was promised', () => {
    const whole = 'mkdir /d; sync; creat /d/a; mkdir /d/b; unlink /d/a';
    // The third without the second.
    const skipped = 'mkdir /d; creat /d/a; mkdir /d/b; unlink /d/a';
    const out = 'mkdir /d; creat /x; mkdir /d/b; unlink /x';
    expect(kinds(ordered, whole, skipped)).toEqual([]);
    expect(kinds(ordered, 'mkdir /d; sync; creat /d/a; mkdir /d/b', out)).toEqual(['order']);
    expect(kinds(leastPromises, 'mkdir /d; sync; creat /d/a; mkdir /d/b', out)).toEqual([]);
  });

  it('knows every name that was ever made, and attributes that were confirmed', () => {
    expect(kinds(leastPromises, 'creat /a', 'creat /b')).toContain('never-made');
    expect(kinds(leastPromises, 'creat /a 600; chmod /a 640; sync', 'creat /a 600')).toEqual(['attributes']);
  });
});
