/** Something that a crash state shows and that must not be. */
export interface Violation {
  /**
   * A stable word: `lost`, `order`, `never-made`, `content`, `size`, `attributes`, `links`, `two-names`, `type`,
   * `unreadable`, `refused`, `panic`, `hang`, `audit`, `unusable`, `unsteady`, `outcome`, `condition`, `undetected`,
   * `blind`.
   */
  readonly kind: string;
  readonly text: string;
}
