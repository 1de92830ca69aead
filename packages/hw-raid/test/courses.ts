/** How much is tried: a sample in `npm test`, with BACKPLANE_FULL every instant and many courses. */
// Packages are written without the types of a host: this is all that their tests want of one.
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

const all = process.env['BACKPLANE_FULL'] !== undefined;

export const seeds: number = all ? 50 : 1;

/** From one instant at which the power fails to the next: no multiple of what a sector takes. */
export const stepMicroseconds: number = all ? 3 : 37;
