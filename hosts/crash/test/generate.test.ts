import { Engine } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { sampledSequences, sequencesOf } from '../src/generate.ts';
import { Model } from '../src/model.ts';
import { Process } from '../src/perform.ts';
import { immediate } from '../src/recording.ts';

describe('generated sequences', () => {
  it('are all that there are of one and two operations, less those that are like another or cannot work', () => {
    const [one, two] = [sequencesOf(1), sequencesOf(2)];
    expect(two.generated).toBe(one.generated ** 2);
    for (const { generated, pruned, sequences } of [one, two]) {
      expect(pruned + sequences.length).toBe(generated);
      expect(new Set(sequences.map((s) => s.name)).size).toBe(sequences.length);
    }
    const words = new Set(one.sequences.map((s) => s.name.split(' ')[0]));
    for (const word of ['creat', 'overwrite', 'append', 'shorten', 'link', 'symlink', 'unlink', 'rename'])
      expect(words).toContain(word);
    for (const word of ['replace', 'mkdir', 'rmdir', 'rename-full', 'fsync', 'sync'])
      expect(words).toContain(word);
    expect(two.sequences.length).toBeGreaterThan(1000);
  });

  it('of three can be sampled by a seed', () => {
    const names = (seed: number): readonly string[] =>
      sampledSequences(3, 5, new Engine({ seed }).random('test')).map((s) => s.name);
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
  });

  it('work on the model: what each needs is made before it', () => {
    const all = [
      ...sequencesOf(1).sequences,
      ...sequencesOf(2).sequences,
      ...sampledSequences(3, 50, new Engine({ seed: 1 }).random('test')),
    ];
    for (const w of all) {
      const process = new Process(new Model());
      for (const o of w.operations) {
        // Nothing can be written through a symbolic link that leads nowhere; all else has to work.
        if (w.name.startsWith('symlink') || w.name.includes('; symlink')) break;
        expect(() => immediate(process.perform(o)), w.name).not.toThrow();
      }
    }
  });
});
