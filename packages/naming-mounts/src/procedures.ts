/**
 * What hosts ask one another about mounts. Numbers 122 and 123.
 *
 * A host's export list goes to whoever asks everybody; the root of one prefix to whoever mounts it again.
 */
import { type Hint, message, type Reading, type Writing } from '@backplane/file-service';
import { authority, noPayload, type Procedure, pathBytesMax, token } from '@backplane/slots';

const exportsMax = 64;

const write = ({ text }: Writing, h: Hint): void =>
  void text.string(h.prefix).string(h.protocol).string(h.authority).string(h.root);

const read = ({ text }: Reading): Hint => ({
  prefix: text.string(pathBytesMax),
  protocol: text.string(32),
  authority: authority(text.string(64)),
  root: token(text.string(64)),
});

/** Everything that a host exports. Hosts that export nothing are silent. */
export const listExports: Procedure<null, readonly Hint[]> = {
  id: 122,
  name: 'exports',
  request: noPayload,
  reply: message(
    (to, list: readonly Hint[]) => {
      to.words.u32(list.length);
      for (const h of list) write(to, h);
    },
    (from) => {
      const count = from.words.u32();
      if (count > exportsMax) from.words.fail();
      return Array.from({ length: Math.min(count, exportsMax) }, () => read(from));
    },
  ),
};

/** The root of one prefix, as it is now. Throws `notFound` when the host does not export it. */
export const mountPrefix: Procedure<string, Hint> = {
  id: 123,
  name: 'mount',
  request: message(
    (to, prefix: string) => void to.text.string(prefix),
    (from) => from.text.string(pathBytesMax),
  ),
  reply: message(write, read),
};
