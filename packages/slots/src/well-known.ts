/**
 * The groups that every host of V knows under a number (`Ipc.wellKnownGroup`): who offers a service joins its group, who
 * needs it sends to the group, or to the member beside some process (`MessageFlag.coResident`). The article says for which
 * services there are such groups; the numbers are our own.
 */
export const wellKnown = {
  fileServers: 1,
  processManagers: 2,
  memoryManagers: 3,
  communicationManagers: 4,
  deviceManagers: 5,
  timeServers: 6,
  schedulers: 7,
  programManagers: 8,
  nameHandlers: 9,
  exceptionServers: 10,
  pipeServers: 11,
  cacheDirectories: 12,
  timeSynchronizers: 13,
  migrationServers: 14,
  placementServers: 15,
  nameDirectories: 16,
} as const;
