/** The built-in experiments, by name. */
import { unknownExperiment } from '../errors.ts';
import type { Experiment } from '../experiment.ts';
import { andrew } from './andrew.ts';
import { cleaning } from './cleaning.ts';
import { coResident } from './co-resident.ts';
import { day } from './day.ts';
import { fileOps } from './file-ops.ts';
import { ipcTable } from './ipc-table.ts';
import { largeFile } from './large-file.ts';
import { memoryOrDisk } from './memory-or-disk.ts';
import { mixed } from './mixed.ts';
import { bulk, nullRpc } from './null-rpc.ts';
import { pipe } from './pipe.ts';
import { processCreation } from './process-creation.ts';
import { recovery } from './recovery.ts';
import { replay } from './replay.ts';
import { rpc8k } from './rpc8k.ts';
import { segmentSize } from './segment-size.ts';
import { sharing } from './sharing.ts';
import { smallFiles } from './small-files.ts';
import { uioTable } from './uio-table.ts';

/** Each experiment has its own parameters and result; a list of them knows neither. */
const any = (e: unknown): Experiment => e as Experiment;

export const experiments: readonly Experiment[] = [
  any(andrew),
  any(nullRpc),
  any(bulk),
  any(fileOps),
  any(replay),
  any(rpc8k),
  any(ipcTable),
  any(uioTable),
  any(processCreation),
  any(coResident),
  any(memoryOrDisk),
  any(pipe),
  any(day),
  any(mixed),
  any(sharing),
  any(smallFiles),
  any(largeFile),
  any(segmentSize),
  any(recovery),
  any(cleaning),
];

/** @throws BackplaneError with the nearest name */
export function experiment(name: string): Experiment {
  const found = experiments.find((e) => e.name === name);
  if (found === undefined)
    throw unknownExperiment(
      name,
      experiments.map((e) => e.name),
    );
  return found;
}
