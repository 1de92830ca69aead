/** Which of a machine's network interfaces an option means. */
import { BackplaneError, nearest } from './backplane-error.ts';
import type { Nic } from './network.ts';

/**
 * The interface named `wanted`; for an empty name the only one that there is. The option is called "nic".
 *
 * @throws BackplaneError `WRONG_OPTION`
 */
export function chooseInterface(
  { board, machine }: { readonly board: string; readonly machine: string },
  interfaces: ReadonlyMap<string, Nic>,
  wanted: string,
): Nic {
  const [first] = interfaces.keys();
  const name = wanted === '' && interfaces.size === 1 ? first : wanted;
  const nic = name === undefined ? undefined : interfaces.get(name);
  if (nic === undefined) throw noSuchInterface(board, machine, wanted, [...interfaces.keys()]);
  return nic;
}

const noSuchInterface = (
  board: string,
  machine: string,
  wanted: string,
  interfaces: readonly string[],
): BackplaneError => {
  const near = nearest(wanted, interfaces);
  return new BackplaneError(
    'WRONG_OPTION',
    { board, machine, wanted, interfaces },
    wanted === ''
      ? `${board} on ${machine}: there are ${interfaces.length} network interfaces (${interfaces.join(', ')}) and the option "nic" names none.`
      : `${board} on ${machine}: there is no network interface "${wanted}" among ${interfaces.join(', ')}.`,
    `Set the option "nic" to ${near === undefined ? 'one of them' : `"${near}"`}.`,
  );
};
