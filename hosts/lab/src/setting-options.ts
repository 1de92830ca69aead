/** The options of a setting: `option=value,...`, taken apart and read as the board's schema wants them. */
import type { OptionsSchema } from '@backplane/slots';
import { malformedSetting } from './errors.ts';

export type BoardOptions = Readonly<Record<string, unknown>>;

export function parseOptions(place: string, text: string): BoardOptions {
  const options: Record<string, unknown> = {};
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=');
    if (equals < 1)
      throw malformedSetting(place, `"${pair}" is no option.`, 'Write option=value, with commas between');
    options[pair.slice(0, equals).trim()] = parseValue(pair.slice(equals + 1).trim());
  }
  return options;
}

/** Numbers and booleans as such, everything else as text: the board's schema has the last word. */
function parseValue(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** `a+b` as a list, and `a` as one of one, where the schema takes no such text and does take the list. */
export function withLists(schema: OptionsSchema | undefined, options: BoardOptions): BoardOptions {
  if (schema === undefined) return options;
  const read: Record<string, unknown> = { ...options };
  for (const [name, value] of Object.entries(options)) {
    if (!refuses(schema, options, name)) continue;
    const list = String(value).split('+').map(parseValue);
    if (!refuses(schema, { ...options, [name]: list }, name)) read[name] = list;
  }
  return read;
}

function refuses(schema: OptionsSchema, options: BoardOptions, name: string): boolean {
  const result = schema['~standard'].validate(options);
  if (!('issues' in result) || result.issues === undefined) return false;
  return result.issues.some(({ path }) => {
    const [first] = path ?? [];
    return (typeof first === 'object' ? first.key : first) === name;
  });
}
