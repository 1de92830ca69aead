/** What can be wrong with a file or a package from outside: the place, the nearest valid spelling, the remedy. */
import { BackplaneError, nearest } from '@backplane/slots';

const near = (wrong: string, known: readonly string[], otherwise: string): string => {
  const candidate = nearest(wrong, known);
  return candidate === undefined ? otherwise : `Did you mean "${candidate}"?`;
};

export const noSuchFile = (file: string, beside: readonly string[]): BackplaneError =>
  new BackplaneError(
    'NO_SUCH_FILE',
    { file },
    `${file}: there is no such file.`,
    near(
      file.split(/[\\/]/).at(-1) ?? file,
      beside,
      'Give a file that can be read, such as ./my-experiment.ts',
    ),
  );

export const unreadableFile = (file: string, reason: string): BackplaneError =>
  new BackplaneError('UNREADABLE_FILE', { file }, `${file}: ${reason}`, 'Give a file that can be read.');

/** @param place file, line and column where they are known */
export const brokenFile = (place: string, reason: string, hint: string): BackplaneError =>
  new BackplaneError('BROKEN_FILE', { place }, `${place}: ${reason}`, hint);

export const noSuchModule = (place: string, name: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'NO_SUCH_MODULE',
    { place, name },
    `${place}: it imports "${name}", which cannot be found.`,
    near(name, known, /^[./]/.test(name) ? 'Mend the path.' : `npm install ${name}`),
  );

export const noSuchExport = (module: string, name: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'NO_SUCH_EXPORT',
    { module, name },
    `${module} exports no "${name}".`,
    near(name, known, `It exports ${known.join(', ')}.`),
  );

export const noDefaultExport = (file: string, named: readonly string[], wanted: string): BackplaneError =>
  new BackplaneError(
    'WRONG_EXPORT',
    { file, named },
    `${file}: it has no default export${named.length === 0 ? '' : `, only ${named.join(', ')}`}.`,
    wanted,
  );

export const wrongExport = (place: string, what: string, hint: string): BackplaneError =>
  new BackplaneError('WRONG_EXPORT', { place }, `${place}: ${what}`, hint);

export const unknownMember = (place: string, name: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_MEMBER',
    { place, name },
    `${place}: there is no member "${name}".`,
    near(name, known, `There are: ${known.join(', ')}.`),
  );

export const wrongManifest = (manifest: string, path: string, what: string, hint: string): BackplaneError =>
  new BackplaneError(
    'WRONG_MANIFEST',
    { manifest, path },
    `${manifest}: ${path === '' ? '' : `${path}: `}${what}`,
    hint,
  );

export const noSuchPackage = (
  place: string,
  slot: string,
  name: string,
  from: string,
  known: readonly string[],
): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_BOARD',
    { place, slot, name, from },
    `${place}: no board for the slot "${slot}" is called "${name}", and ${from} has no such package installed.`,
    near(
      name,
      known,
      known.length === 0 ? `npm install ${name}` : `There are: ${known.join(', ')}. Or: npm install ${name}`,
    ),
  );
