/** Random operation files over few names: what is cached meets what is changed. */
import { Engine } from '@backplane/engine';

/** @returns the text of an operation file */
export function randomFiles(seed: number, count: number): string {
  const random = new Engine({ seed }).random('files');
  const path = (): string =>
    `/${random.chance(0.3) ? `${random.pick(['d', 'e'])}/` : ''}${random.pick(['a', 'b', 'c'])}`;
  const length = (): number => random.pick([1, 100, 4096, 5000, 8192, 20_000]);
  const offset = (): number => random.pick([0, 1, 4095, 4096, 8192, 20_000]);
  const handle = (): string => random.pick(['h', 'i']);
  const line = (): string =>
    random.pick([
      () => `write ${path()} ${offset()} ${length()} x`,
      () => `append ${path()} ${length()} y`,
      () => `read ${path()} ${offset()} ${length()}`,
      () => `trunc ${path()} ${offset()}`,
      () => `creat ${path()} ${random.pick(['644', '600', '0'])}`,
      () => `stat ${path()}`,
      () => `readdir ${random.pick(['/', '/d', '/e'])}`,
      () => `mkdir ${random.pick(['/d', '/e', '/d/e'])} 755`,
      () => `rename ${path()} ${path()}`,
      () => `link ${path()} ${path()}`,
      () => `symlink ${random.pick(['a', '/b', '../c'])} ${path()}`,
      () => `unlink ${path()}`,
      () =>
        `open ${handle()} ${path()} ${random.pick(['read', 'read,write', 'read,write,create', 'write,create,truncate'])}`,
      () => `pread ${handle()} ${offset()} ${length()}`,
      () => `pwrite ${handle()} ${offset()} ${length()} z`,
      () => `hread ${handle()} ${length()}`,
      () => `hwrite ${handle()} ${length()} w`,
      () => `htrunc ${handle()} ${offset()}`,
      () => `close ${handle()}`,
    ])();
  return Array.from({ length: count }, line).join('\n');
}
