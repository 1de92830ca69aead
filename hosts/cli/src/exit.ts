/** Exit codes of the command. */
export const exit = { good: 0, failed: 1, undecided: 2, usage: 3, interrupted: 130 } as const;
export type ExitCode = (typeof exit)[keyof typeof exit];
