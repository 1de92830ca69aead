/** What a workload reports. */
export interface Outcome {
  /** Units of work done: events, items, customers. */
  readonly units: number;
  /** Equal in every engine that runs the workload right. */
  readonly check: string;
}
