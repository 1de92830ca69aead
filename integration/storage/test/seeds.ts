/** How many random runs a test makes: a few in `npm test`, many with BACKPLANE_FULL. */
import { vi } from 'vitest';

const full = process.env['BACKPLANE_FULL'] !== undefined;
if (full) vi.setConfig({ testTimeout: 600_000 });

export const runs = (few: number): number => (full ? 25 * few : few);
