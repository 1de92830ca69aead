/** How far the mean of all clocks is ahead of ours. @param others how far each of the others is */
export const meanAhead = (others: readonly number[]): number =>
  // Our own difference, 0, is one of them.
  Math.round(others.reduce((a, b) => a + b, 0) / (others.length + 1));
