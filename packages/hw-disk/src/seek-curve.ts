/**
 * How long the arm takes to move so many cylinders: acceleration makes short seeks go with the square root of the distance,
 * long ones coast. With the three times that a data sheet gives, t(d) = single + a sqrt(d - 1) + b (d - 1) is one curve
 * (the form of Lee and Katz 1993); a and b are solved for, so that the average over all pairs of cylinders is the maker's.
 */
import { assert } from '@backplane/slots';

export class SeekCurve {
  readonly #singleNs: number;
  readonly #rootNs: number;
  readonly #linearNs: number;

  constructor(times: {
    readonly cylinders: number;
    readonly singleNs: number;
    readonly averageNs: number;
    readonly fullNs: number;
  }) {
    const { cylinders: n, singleNs, averageNs, fullNs } = times;
    // Of two different cylinders, the share of pairs that lie d apart is 2 (n - d) / (n (n - 1)).
    let rootMean = 0;
    let linearMean = 0;
    for (let d = 1; d < n; d++) {
      const share = (2 * (n - d)) / (n * (n - 1));
      rootMean += share * Math.sqrt(d - 1);
      linearMean += share * (d - 1);
    }
    const rootFull = Math.sqrt(n - 2);
    const linearFull = n - 2;
    const determinant = rootMean * linearFull - linearMean * rootFull;
    this.#singleNs = singleNs;
    this.#rootNs = ((averageNs - singleNs) * linearFull - (fullNs - singleNs) * linearMean) / determinant;
    this.#linearNs = (rootMean * (fullNs - singleNs) - rootFull * (averageNs - singleNs)) / determinant;
    assert(
      this.#rootNs >= 0 && this.#linearNs >= 0,
      'seek curve',
      `no rising curve has single ${singleNs}, average ${averageNs} and full ${fullNs} ns over ${n} cylinders`,
    );
  }

  /** @param cylinders at least 1 */
  ns(cylinders: number): number {
    return Math.round(
      this.#singleNs + this.#rootNs * Math.sqrt(cylinders - 1) + this.#linearNs * (cylinders - 1),
    );
  }
}
