/** Parameters of experiments from text, with errors that say which one and what it takes. */
import { nearest } from '@backplane/slots';
import { wrongParameter } from './errors.ts';
import type { ParameterText } from './experiment.ts';

/** Refuses names that the experiment does not have. */
export function checkNames(
  experiment: string,
  given: Readonly<Record<string, string>>,
  texts: readonly ParameterText[],
): void {
  const known = texts.map((t) => t.name);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw wrongParameter(
      experiment,
      `there is no option --${name}.${near === undefined ? '' : ` Did you mean --${near}?`}`,
    );
  }
}

export function count(
  experiment: string,
  given: Readonly<Record<string, string>>,
  name: string,
  otherwise: number,
  max = 1_000_000,
): number {
  const text = given[name];
  if (text === undefined) return otherwise;
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > max)
    throw wrongParameter(experiment, `--${name} takes a whole number from 1 to ${max}, not "${text}".`);
  return n;
}

export function choice<C extends string>(
  experiment: string,
  given: Readonly<Record<string, string>>,
  name: string,
  choices: readonly C[],
  otherwise: C,
): C {
  const text = given[name];
  if (text === undefined) return otherwise;
  const found = choices.find((c) => c === text);
  if (found === undefined)
    throw wrongParameter(experiment, `--${name} is one of ${choices.join(', ')}, not "${text}".`);
  return found;
}
