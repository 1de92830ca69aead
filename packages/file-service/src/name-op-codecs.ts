/** How the argument and the result of each name operation look on a wire, for every protocol. */
import { componentBytesMax, type NameOps, pathBytesMax } from '@backplane/slots';
import {
  type Reading,
  readAttributes,
  readChange,
  readFileId,
  type Writing,
  writeAttributes,
  writeChange,
  writeFileId,
} from './codecs.ts';
import { fileOfToken, fileToken } from './file-id.ts';

/** One direction: what is written, and read back. */
export interface Half<T> {
  readonly write: (to: Writing, value: T) => void;
  readonly read: (from: Reading) => T;
}

const nothing: Half<null> = { write: () => {}, read: () => null };
const empty: Half<Record<never, never>> = { write: () => {}, read: () => ({}) };

export const nameOpCodecs: {
  readonly [K in keyof NameOps]: {
    readonly in: Half<NameOps[K]['in']>;
    readonly out: Half<NameOps[K]['out']>;
  };
} = {
  stat: {
    in: {
      write: (to, { follow }) => void to.words.bool(follow),
      read: (from) => ({ follow: from.words.bool() }),
    },
    out: { write: (to, a) => writeAttributes(to.words, a), read: (from) => readAttributes(from.words) },
  },
  access: {
    in: {
      write: (to, a) => void to.words.bool(a.read).bool(a.write).bool(a.execute),
      read: ({ words }) => ({ read: words.bool(), write: words.bool(), execute: words.bool() }),
    },
    out: nothing,
  },
  unlink: { in: empty, out: nothing },
  makeDirectory: {
    in: { write: (to, { mode }) => void to.words.u32(mode), read: (from) => ({ mode: from.words.u32() }) },
    out: nothing,
  },
  removeDirectory: { in: empty, out: nothing },
  makeLink: {
    in: {
      write: (to, { target, remote }) => {
        to.words.bool(remote);
        to.text.string(target);
      },
      read: (from) => ({ remote: from.words.bool(), target: from.text.string(pathBytesMax) }),
    },
    out: nothing,
  },
  readLink: {
    in: empty,
    out: { write: (to, text) => void to.text.string(text), read: (from) => from.text.string(pathBytesMax) },
  },
  setAttributes: {
    in: {
      write: (to, { change, follow }) => {
        to.words.bool(follow);
        writeChange(to.words, change);
      },
      read: (from) => ({ follow: from.words.bool(), change: readChange(from.words) }),
    },
    out: nothing,
  },
  entries: {
    in: {
      write: (to, { after }) => void to.text.string(after),
      read: (from) => ({ after: from.text.string(componentBytesMax) }),
    },
    out: {
      write: (to, { names, complete }) => {
        to.words.bool(complete);
        to.text.list(names, (w, name) => void w.string(name));
      },
      read: (from) => ({
        complete: from.words.bool(),
        names: from.text.list((r) => r.string(componentBytesMax)),
      }),
    },
  },
  enter: {
    in: empty,
    out: {
      write: (to, t) => void writeFileId(to.words, fileOfToken(t) ?? { domain: 0, number: 0, generation: 0 }),
      read: (from) => fileToken(readFileId(from.words)),
    },
  },
};
