/** Names to ask a server for, and who asks. */
import { authority, type Credentials, type NameTarget } from '@backplane/slots';
import { fileToken, type NameProcedures, nameProcedures } from '../src/index.ts';

export const procedures: NameProcedures = nameProcedures({
  ...{ stat: 1, access: 2, unlink: 3, makeDirectory: 4, removeDirectory: 5, makeLink: 6, readLink: 7 },
  ...{ setAttributes: 8, entries: 9, enter: 10, rename: 11, link: 12 },
});
const root = fileToken({ domain: 1, number: 2, generation: 3 });
export const target = (remainder: string, again = false): NameTarget => ({
  ...{ prefix: '/', protocol: 'test', authority: authority('7'), root, domainRoot: root, remainder, again },
});
export const somebody: Credentials = { uid: 1, gid: 1, groups: [] };
