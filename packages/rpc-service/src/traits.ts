/** What tells one transport from another, as far as the layer above its packets needs to know. */

/** Of one message, request or reply. */
export interface MessageLimits {
  readonly parametersBytes: number;
  readonly dataBytes: number;
}

export interface TransportTraits {
  /** The board's package name, for what developers are told. */
  readonly board: string;
  readonly limits: MessageLimits;
  /** Processor time of one side of a call, without its packets and copies. */
  readonly pathNs: number;
}
