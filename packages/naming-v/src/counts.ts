/** What the naming of a host has done, for the reports. */
export interface NameCounts {
  lookups: number;
  /** Questions to all name handlers, or to all who share a directory. */
  multicasts: number;
  /** Lookups that led to one or more of them: the article's figure is 0.3 percent. */
  lookupsMulticast: number;
  /** Questions to the directory. */
  directory: number;
  learned: number;
  forgotten: number;
  /** Aliases followed. */
  aliases: number;
  /** Answers that were dropped because they did not prove whose they were. */
  counterfeits: number;
}

export const noCounts = (): NameCounts => ({
  lookups: 0,
  multicasts: 0,
  lookupsMulticast: 0,
  directory: 0,
  learned: 0,
  forgotten: 0,
  aliases: 0,
  counterfeits: 0,
});
