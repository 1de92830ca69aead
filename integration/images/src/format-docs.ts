/** `docs/formats.md`: the records of every storage's disks, field by field, out of the layouts that the code uses. */
import type { StoreFormat } from '@backplane/slots';
import type { Field, LayoutFacts } from '@backplane/wire';

/** What a reader has to know before the records make sense. */
const openings: Readonly<Record<string, readonly string[]>> = {
  lfs: [
    'A log (Rosenblum and Ousterhout 1992). Everything but superblock and checkpoint regions is appended: the disk is divided into segments of one length, and a segment is filled with partial writes, each of them one request to the disk. A partial write is the first sector of a summary, the blocks that the summary lists, and the rest of the summary. Summaries are numbered without gaps, and each holds the checksum of the one before; so the log can be followed from any point, and what is left over from an earlier life of a segment is never taken for what follows. Blocks count once a summary has come that ends their group.',
    'From a checkpoint one gets everywhere: it has the addresses of the blocks of the map, which has the address of each file’s descriptor, which leads to the file’s blocks, for large files over index blocks. Of the two checkpoint regions the valid one with the higher serial number counts; on a medium that is written once there are none, and a checkpoint is a block in the log. What the log holds after the checkpoint is found again by following the summaries: descriptors say what became of files, the directory operation log says what became of names.',
    'The usage table has the live bytes of each segment, for the cleaner. A segment without any is called clean one checkpoint later, and is not written before; so the older region, too, leads to whole structures.',
    'Numbers are big-endian, sectors have 512 bytes, addresses count sectors from the beginning of the disk, 0 leads nowhere. Everything with a checksum has it in its second word, CRC-32 of the whole sectors with zero in that place. Blocks that hold bytes of a file have no header and are covered by the checksum in their summary.',
  ],
  ofs: [
    'Files in their places (Sprite’s first file system; directories as in 4.3BSD). The disk is divided into blocks of 4096 bytes: the label in the first, the summary in the second, the domain header in the third, then a bitmap of descriptors, the descriptors, a bitmap of fragments, and data. The header says where each begins and is never rewritten.',
    'A file has ten direct pointers, an index block of 1024, and an index block of such index blocks. Pointers count fragments of 1 KB from the first data block. Every block of a file is four fragments on a block boundary, but for the last one if it is among the first ten: that one has as many fragments of one block as its bytes need. A directory is a file of chunks of 512 bytes, each of them full of directory records; the first two are "." and "..".',
    'Numbers are big-endian. Label, header and summary fill a sector each, with a checksum that makes the exclusive or of its words zero; the rest has none.',
  ],
};

export const formatDocs = (formats: readonly StoreFormat[]): string =>
  [
    '# Formats of disks',
    'Made from the layouts in the code by `npm run docs:formats`; a test fails when it is older than they are. `backplane image dump FILE` shows an image in these terms, `backplane image check FILE` says whether it is true.',
    ...formats.map(section),
  ]
    .join('\n\n')
    .concat('\n');

const section = ({ name, layouts }: StoreFormat): string =>
  [`## ${name}`, ...(openings[name] ?? []), ...layouts.map(record)].join('\n\n');

const record = (l: LayoutFacts): string =>
  [
    `### ${l.name}`,
    `${l.doc === '' ? '' : `${sentence(l.doc)} `}${l.size} bytes.`,
    [
      '| byte | width | field | kind | meaning |',
      '|---:|---:|---|---|---|',
      ...l.fields
        .filter((f) => f.kind !== 'reserved')
        .map((f) => `| ${f.offset} | ${f.width} | \`${f.name}\` | ${kind(f)} | ${meaning(f)} |`),
    ].join('\n'),
  ].join('\n\n');

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

const kind = (f: Field): string => {
  if (f.kind === 'array') return `${f.count ?? 0} × ${f.element === undefined ? '' : kind(f.element)}`;
  return f.layout?.name ?? f.kind;
};

const meaning = (f: Field): string => {
  const named = Object.entries({ ...f.names, ...f.flags }).map(([name, value]) => `${value} ${name}`);
  const words = [
    f.doc,
    named.length === 0 ? '' : `${f.flags === undefined ? 'values' : 'flags'}: ${named.join(', ')}`,
  ];
  return words
    .filter((w) => w !== '')
    .join('; ')
    .replaceAll('|', '\\|');
};
