/** What `controlInstance` can do to a device: word 2 of the request. */
export const DeviceFunction = {
  /** Disk: returns when all that was written before is on the medium. */
  sync: 1,
  /** Network: also listen to the group address in words 3 (upper 16 bits) and 4 (lower 32). Ends with the instance. */
  joinGroup: 2,
} as const;
