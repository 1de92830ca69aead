/** `backplane image`: what comes out is what went in, and what cannot be done leaves everything as it was. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backplane, Folder } from './console.ts';

const storages = ['lfs:segmentBytes=65536', 'ofs'];

/** A tree with everything in it that an image can hold. */
function plant(folder: Folder): string {
  const tree = folder.at('tree');
  mkdirSync(join(tree, 'sub', 'empty'), { recursive: true });
  writeFileSync(join(tree, 'text'), 'some text\n');
  writeFileSync(join(tree, 'nothing'), '');
  writeFileSync(join(tree, 'sub', 'ü und mehr'), Buffer.alloc(100_000, 'abcdefg'));
  writeFileSync(join(tree, 'sparse'), '');
  truncateSync(join(tree, 'sparse'), 3_000_000);
  linkSync(join(tree, 'text'), join(tree, 'sub', 'other name'));
  symlinkSync('../nowhere', join(tree, 'sub', 'link'));
  chmodSync(join(tree, 'text'), 0o4751);
  chmodSync(join(tree, 'sub', 'empty'), 0o700);
  return tree;
}

/** Everything about a tree that has to come back, by path. */
function describeTree(root: string, path = ''): Record<string, unknown> {
  const s = lstatSync(join(root, path));
  const what = s.isDirectory()
    ? {}
    : s.isSymbolicLink()
      ? { target: readlinkSync(join(root, path)) }
      : { links: s.nlink, content: readFileSync(join(root, path)).toString('base64') };
  const below = s.isDirectory()
    ? readdirSync(join(root, path)).map((n) => describeTree(root, join(path, n)))
    : [];
  return Object.assign({ [path]: { mode: s.isSymbolicLink() ? 0 : s.mode & 0o7777, ...what } }, ...below);
}

async function created(folder: Folder, storage: string, size = '8M'): Promise<string> {
  const image = folder.at('disk.img');
  expect(await backplane(['image', 'create', image, '--storage', storage, '--size', size])).toMatchObject({
    code: 0,
  });
  return image;
}

const check = (image: string) => backplane(['image', 'check', image, '--json']);

describe.each(storages)('an image of %s', (storage) => {
  const name = storage.split(':')[0];

  it('is a plain file of the size that was asked for, mostly holes, and sound', async () => {
    using folder = new Folder();
    const image = await created(folder, storage);
    const { size, blocks } = statSync(image);
    expect(size).toBe(8 * 2 ** 20);
    expect(blocks * 512).toBeLessThan(1_000_000);
    const { code, stdout } = await check(image);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      file: image,
      format: name,
      sectors: 16_384,
      sound: true,
      findings: [],
    });
    expect(folder.names).toEqual(['disk.img']);
  });

  it('gives back what was imported: content, modes, links, symbolic links', async () => {
    using folder = new Folder();
    const tree = plant(folder);
    const image = await created(folder, storage);
    const imported = await backplane(['image', 'import', image, tree, '--json']);
    expect(imported.code, imported.stderr).toBe(0);
    expect(JSON.parse(imported.stdout)).toMatchObject({
      files: 4,
      directories: 2,
      symlinks: 1,
      hardLinks: 1,
      bytes: 3_100_010,
      leftOut: [],
    });
    expect((await check(image)).code).toBe(0);
    const out = folder.at('out');
    const before = readFileSync(image);
    expect(await backplane(['image', 'export', image, out])).toMatchObject({ code: 0 });
    expect(describeTree(out)).toEqual(describeTree(tree));
    expect(statSync(join(out, 'sparse')).blocks).toBe(0);
    expect(lstatSync(join(out, 'text')).ino).toBe(lstatSync(join(out, 'sub', 'other name')).ino);
    expect(readFileSync(image).equals(before)).toBe(true);
  });

  it('keeps times of 1988 to the nanosecond, and says how many others it does not keep', async () => {
    using folder = new Folder();
    const tree = folder.at('tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'old'), 'x');
    execFileSync('touch', ['-m', '-d', '1988-03-01T10:20:30.123456789Z', join(tree, 'old')]);
    execFileSync('touch', ['-a', '-d', '1988-04-01T10:20:30.987654321Z', join(tree, 'old')]);
    utimesSync(tree, 570_100_000, 570_100_000);
    const image = await created(folder, storage);
    const { timesLost } = JSON.parse((await backplane(['image', 'import', image, tree, '--json'])).stdout);
    expect(timesLost).toBe(0);
    const { stdout } = await backplane(['image', 'dump', image, '--structure', 'descriptor', '--json']);
    expect(stdout).toContain(`"value":"${(573_214_830n - 570_067_200n) * 1_000_000_000n + 123_456_789n}"`);
    expect(stdout).toContain(`"value":"${(575_893_230n - 570_067_200n) * 1_000_000_000n + 987_654_321n}"`);
    await backplane(['image', 'export', image, folder.at('out')]);
    const s = lstatSync(join(folder.at('out'), 'old'), { bigint: true });
    // The host takes seconds as a number with a fraction.
    const apart = s.mtimeNs - 573_214_830_123_456_789n;
    expect(apart < 1000n && apart > -1000n).toBe(true);
  });

  it('takes a second tree beside the first, and refuses what is there already', async () => {
    using folder = new Folder();
    const image = await created(folder, storage);
    const tree = plant(folder);
    mkdirSync(folder.at('more/sub'), { recursive: true });
    folder.file('more/sub/new', 'new');
    await backplane(['image', 'import', image, tree]);
    expect(await backplane(['image', 'import', image, folder.at('more')])).toMatchObject({ code: 0 });
    const before = readFileSync(image);
    const again = await backplane(['image', 'import', image, folder.at('more')]);
    expect(again.code).toBe(3);
    expect(again.stderr).toMatch(/sub\/new cannot go in: there is something of that name.*as it was/);
    expect(readFileSync(image).equals(before)).toBe(true);
    await backplane(['image', 'export', image, folder.at('out')]);
    expect(readdirSync(folder.at('out/sub')).sort()).toEqual([
      'empty',
      'link',
      'new',
      'other name',
      'ü und mehr',
    ]);
  });

  it('that has no room for a tree is left as it was, and nothing is left beside it', async () => {
    using folder = new Folder();
    const image = await created(folder, storage, '4M');
    mkdirSync(folder.at('tree'));
    writeFileSync(folder.at('tree/large'), Buffer.alloc(6_000_000, 'x'));
    const before = readFileSync(image);
    const { code, stderr } = await backplane(['image', 'import', image, folder.at('tree')]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/no room is left for large\. The image is as it was.*\nTry: Make a larger one/);
    expect(readFileSync(image).equals(before)).toBe(true);
    expect(folder.names).toEqual(['disk.img', 'tree']);
  });

  it('leaves out what it has no place for, and says so', async () => {
    using folder = new Folder();
    const image = await created(folder, storage);
    mkdirSync(folder.at('tree'));
    const server = createServer().listen(folder.at('tree/socket'));
    await once(server, 'listening');
    writeFileSync(Buffer.concat([Buffer.from(`${folder.at('tree')}/`), Buffer.from([0xff, 0x41])]), 'x');
    const { code, stdout, stderr } = await backplane(['image', 'import', image, folder.at('tree'), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).leftOut).toHaveLength(2);
    server.close();
    expect(stderr).toMatch(/left out: socket: it is a socket\n/);
    expect(stderr).toMatch(/its name is not UTF-8/);
  });

  it('that is damaged is found so, with the place, and ends with 1', async () => {
    using folder = new Folder();
    const image = await created(folder, storage);
    await backplane(['image', 'import', image, plant(folder)]);
    const { stdout } = await backplane(['image', 'dump', image, '--structure', 'descriptor 2', '--json']);
    const [{ sector, at }] = JSON.parse(stdout).records;
    const bytes = readFileSync(image);
    bytes.fill(0xee, sector * 512 + at, sector * 512 + at + 40);
    writeFileSync(image, bytes);
    const { code, stdout: found } = await check(image);
    expect(code).toBe(1);
    expect(JSON.parse(found).findings.length).toBeGreaterThan(0);
    expect((await backplane(['image', 'check', image])).stdout).toContain(`descriptor 2`);
  });

  it('that is cut off ends with 3, and says where and by which structure', async () => {
    using folder = new Folder();
    const image = await created(folder, storage);
    for (const [length, said] of [
      [4_194_304, /ends at byte 4194304, and is longer by its (superblock|disk label|disk)/],
      [4_194_305, /ends at byte 4194305, and is longer by its last sector/],
    ] as const) {
      truncateSync(image, length);
      for (const words of [['check'], ['import', folder.path], ['export', folder.at('out')]]) {
        const [what = '', ...more] = words;
        const { code, stderr } = await backplane(['image', what, image, ...more]);
        expect([code, what]).toEqual([3, what]);
        expect(stderr).toMatch(said);
      }
      truncateSync(image, 8 * 2 ** 20);
    }
  });

  it('is dumped field by field, one structure or all of them', async () => {
    using folder = new Folder();
    const image = await created(folder, storage);
    await backplane(['image', 'import', image, plant(folder)]);
    const all = await backplane(['image', 'dump', image]);
    expect(all.code).toBe(0);
    expect(all.stdout).toMatch(/^descriptor 2 {2}sector \d+/m);
    expect(all.stdout).toMatch(/^ +\d+ +sizeBytes +3000000/m);
    expect(all.stdout).toMatch(/"ü und mehr"/);
    const { code, stderr } = await backplane(['image', 'dump', image, '--structure', 'nix']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/There are: .*descriptor/);
  });
});

describe('image', () => {
  it('refuses what makes no sense, and writes nothing', async () => {
    using folder = new Folder();
    const text = folder.file('text', 'no image at all, but as long as a sector'.padEnd(512, '.'));
    const at = folder.at('new.img');
    const empty = folder.at('empty');
    mkdirSync(empty);
    const full = await (async () => {
      using other = new Folder();
      return readFileSync(await created(other, 'ofs'));
    })();
    const image = folder.at('whole.img');
    writeFileSync(image, full);
    const before = folder.names;
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['create', at, '--storage', 'lsf', '--size', '8M'], /no storage with images is called "lsf"/],
      [['create', at, '--storage', 'memory', '--size', '8M'], /There are: lfs, ofs/],
      [['create', at, '--storage', 'lfs', '--size', 'big'], /--size takes bytes/],
      [['create', at, '--storage', 'lfs', '--size', '1001'], /--size takes bytes in whole sectors/],
      [['create', at, '--storage', 'lfs', '--size', '64K'], /too few/],
      [['create', at, '--storage', 'ofs', '--size', '4K'], /makes nothing of 4096 bytes/],
      [['create', at, '--storage', 'lfs:segmentByte=8192', '--size', '8M'], /segmentByte/],
      [['create', at, '--storage', 'lfs'], /required option/],
      [['create', text, '--storage', 'lfs', '--size', '8M'], /there is something already/],
      [
        ['create', folder.at('no/such/x.img'), '--storage', 'ofs', '--size', '8M'],
        /no such file or directory/,
      ],
      [['check', folder.at('missing')], /no such file/],
      [['check', folder.path], /no plain file/],
      [['check', text], /no superblock at byte 32768 \(lfs\), no disk label at byte 0 \(ofs\)/],
      [['import', image, folder.at('missing')], /no such directory/],
      [['import', image, text], /this is no directory/],
      [['import', text, empty], /no image of a known storage/],
      [['export', image, folder.path], /there is something in it/],
      [['export', image, text], /file (already )?exists|not a directory/],
      [['dump', text], /no image of a known storage/],
    ];
    for (const [words, said] of cases) {
      const { code, stderr, stdout } = await backplane(['image', ...words]);
      expect(stderr, words.join(' ')).toMatch(said);
      expect([code, stdout], words.join(' ')).toEqual([3, '']);
    }
    expect(folder.names).toEqual(before);
    expect(readFileSync(image).equals(full)).toBe(true);
  });

  it('of a run is written and audited when the run is over', async () => {
    using folder = new Folder();
    for (const storage of ['lfs', 'ofs']) {
      const images = folder.at(storage);
      const words = [
        'run',
        'andrew',
        '--set',
        `storage=${storage}`,
        '--tree',
        folder.at('tree'),
        '--images',
        images,
      ];
      mkdirSync(folder.at('tree'), { recursive: true });
      folder.file('tree/a.c', 'int main;\n');
      const { code, stdout, stderr } = await backplane([...words, '--json']);
      expect(code, stderr).toBe(0);
      const [image] = JSON.parse(stdout).images;
      expect(image).toMatchObject({ machine: 'allspice', format: storage, findings: [] });
      expect((await check(image.file)).code).toBe(0);
    }
  });
});
