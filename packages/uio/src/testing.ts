/** For the tests of those who serve open objects: processes of one host, objects in memory, and how to run them. */
export { LocalIpc } from './testing/local-ipc.ts';
export { MemoryObject } from './testing/memory-object.ts';
export { type HostOptions, TestHost } from './testing/test-host.ts';
