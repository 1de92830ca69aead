/** How many random runs a test makes: a few in `npm test`, many with BACKPLANE_FULL. */
const full = process.env['BACKPLANE_FULL'] !== undefined;

export const runs = (few: number): number => (full ? 25 * few : few);
