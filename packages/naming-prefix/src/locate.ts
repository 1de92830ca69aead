/** The broadcast that finds a prefix's server (Sprite's FS_PREFIX, procedure 6). Only who exports it answers. */
import { type Hint, message } from '@backplane/file-service';
import { authority, type Procedure, pathBytesMax, token } from '@backplane/slots';

export const locatePrefix: Procedure<string, Hint> = {
  id: 6,
  name: 'prefix',
  request: message(
    (to, prefix: string) => void to.text.string(prefix),
    (from) => from.text.string(pathBytesMax),
  ),
  reply: message(
    ({ text }, h: Hint) => void text.string(h.prefix).string(h.protocol).string(h.authority).string(h.root),
    ({ text }) => ({
      prefix: text.string(pathBytesMax),
      protocol: text.string(32),
      authority: authority(text.string(64)),
      root: token(text.string(64)),
    }),
  ),
};
