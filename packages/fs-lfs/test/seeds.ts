/** How many random runs a property gets: a few in `npm test`, many with BACKPLANE_FULL. */
// Packages are written without the types of a host: this is all that their tests want of one.
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

const full = process.env['BACKPLANE_FULL'] !== undefined;

export const runs = (few: number): number => (full ? 6 * few : few);
