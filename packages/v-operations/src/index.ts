/** The operations of V's servers as messages, what asks and what answers them. */
export { type Asking, type AskOptions, ask, orNothing, tell } from './ask.ts';
export { Askers } from './askers.ts';
export { entitiesIn, entityList } from './entity-list.ts';
// What goes wrong in a program
export {
  type ExceptionKind,
  exceptionKinds,
  handleExceptions,
  raiseException,
} from './exception-operations.ts';
export { bytes, entity, type Field, signed, text, timeNs, word } from './field.ts';
// The kernel's own servers
export { createGroup, joinGroup, leaveGroup, queryGroup } from './group-operations.ts';
export {
  type BoundObject,
  bindRegion,
  createSpace,
  destroySpace,
  queryRegion,
  querySpace,
  readSpace,
  spaceOf,
  unbindRegion,
  writeSpace,
  writtenPages,
} from './memory-operations.ts';
// Programs elsewhere
export { migrateProgram, selectHost } from './migration-operations.ts';
export { type Fields, type Operation, operation } from './operation.ts';
// Who runs before whom
export { gradesMax, type LevelName, levels, priorityOf } from './priorities.ts';
export {
  arriveProcess,
  awaitProcess,
  createProcess,
  departProcess,
  destroyProcess,
  findProcessServer,
  freezeProcess,
  modifyProcess,
  type ProcessState,
  processStates,
  queryProcess,
  queryTeam,
  startProcess,
  unfreezeProcess,
} from './process-operations.ts';

// Programs
export {
  adoptProgram,
  awaitProgram,
  createProgram,
  environmentAddress,
  findProgramManager,
  listPrograms,
  modifyProgram,
  type ProgramLevel,
  type ProgramStart,
  programLevels,
  queryLoad,
  queryProgram,
  releaseProgram,
  terminateProgram,
} from './program-operations.ts';
export { Operations } from './serve.ts';
export { announceTime, delay, getTime, setTime, slewTime, wake } from './time-operations.ts';
