/** Small real boards for the tests of the chassis: they do what they say, on slots of their own. */
import { sleep, type Task } from '@backplane/engine';
import {
  type Board,
  type Component,
  defineComponent,
  defineKernel,
  defineMachineType,
  defineSlot,
  type Kernel,
  type Machine,
  type MachineType,
  type Medium,
  type SlotFacts,
} from '@backplane/slots';

declare module '@backplane/slots' {
  interface Slots {
    diary: Diary;
    reader: Reader;
    echo: Reader;
  }
}

/** What happened, in order. */
export interface Diary {
  readonly lines: string[];
}
export interface Reader {
  readonly machine: Machine;
}

export const diaryFacts: SlotFacts = defineSlot('diary', 'machine');
export const readerFacts: SlotFacts = defineSlot('reader', 'boot');
export const echoFacts: SlotFacts = defineSlot('echo', 'boot');

/** Survives crashes; notes its resets. */
export const diary: Component<'diary'> = defineComponent({
  name: 'test-diary',
  version: '1.0.0',
  slot: 'diary',
  contract: 1,
  requires: [],
  facts: diaryFacts,
  create: (): Diary => ({ lines: [] }),
  reset: (board) => void board.lines.push('reset'),
});

export const reader: Component<'reader'> = defineComponent({
  name: 'test-reader',
  version: '1.0.0',
  slot: 'reader',
  contract: 1,
  requires: ['diary'],
  facts: readerFacts,
  create: ({ diary }, _options, machine): Reader => {
    diary.lines.push(`create reader of boot ${machine.bootId}`);
    machine.metrics.register('reader.boots', () => 1);
    return { machine };
  },
  *start(board): Task<void> {
    yield* sleep(10);
    board.machine.metrics.register('reader.started', () => 1);
  },
});

export const echo: Component<'echo'> = defineComponent({
  name: 'test-echo',
  version: '1.0.0',
  slot: 'echo',
  contract: 1,
  requires: ['reader', 'diary'],
  facts: echoFacts,
  create: ({ diary }, _options, machine): Reader => {
    diary.lines.push('create echo');
    return { machine };
  },
  *start(): Task<void> {
    yield* sleep(5);
  },
  *halt(board): Task<void> {
    yield* sleep(1);
    board.machine.metrics.register('echo.halts', () => 1);
  },
});

/** A medium that carries nothing: these machines have no interfaces. */
export const silence: Board<'medium'> = defineComponent({
  name: 'test-silence',
  version: '1.0.0',
  slot: 'medium',
  contract: 1,
  requires: [],
  create: (): Medium => ({
    bitsPerSecond: 0,
    mtuBytes: 0,
    attach: () => ({ send: (_frame, sent) => sent(false), abort: () => {}, detach: () => {} }),
    addRule: () => () => {},
    tap: () => () => {},
  }),
})();

const free = { value: 0, evidence: 'exact', source: 'a test' } as const;
export const anyType: MachineType = defineMachineType({
  name: 'any',
  description: 'a machine without costs',
  processors: 1,
  memoryBytes: 1 << 20,
  pageBytes: 4096,
  costs: {
    instructionNs: free,
    trapNs: free,
    contextSwitchNs: free,
    copyNsPerByte: free,
    checksumNsPerByte: free,
    packetSendNs: free,
    packetReceiveNs: free,
    fragmentReceiveNs: free,
    transmitTurnaroundNs: free,
    diskInterruptNs: free,
    hostMonitorNs: free,
    spriteRpcPathNs: free,
    sunRpcPathNs: free,
    vmtpPathNs: free,
    uioNs: free,
    streamNsPerByte: free,
    blockOperationNs: free,
    componentLookupNs: free,
    clientNamingNs: free,
    attributesNs: free,
    openClientNs: free,
    openServerNs: free,
    pageTableNs: free,
    pageAllocateNs: free,
    processCreateNs: free,
    descriptorCreateNs: free,
    recoveredFileNs: free,
  },
});

export const reading: Kernel = defineKernel('reading', { echo: echo(), reader: reader(), diary: diary() });
